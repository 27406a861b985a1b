import Bytes
import CSandbox
import Glibc
import Posix

/// The place of the command in the job control of the caller's terminal (credentials(7), "Sessions and process groups").
struct TerminalJob: ~Copyable {
    let kind: csandbox_job
    /// The controlling terminal; -1 when there is none.
    private let terminal: OwnedDescriptor
    /// Whether the caller's process group had the terminal.
    private let hadTerminal: Bool

    /// The caller's situation.
    init(_ policy: SignalPolicy) {
        guard policy == .forward, let terminal = try? Files.open("/dev/tty", .readWrite) else {
            kind = CSANDBOX_JOB_DETACHED
            self.terminal = OwnedDescriptor(adopting: -1, path: "/dev/tty")
            hadTerminal = false
            return
        }
        let group = getpgrp()
        hadTerminal = tcgetpgrp(terminal.rawValue) == group
        // A command whose input or output is a pipe may share the terminal with the rest of the pipeline, which would
        // lose it if the command got it for itself. Asking descriptor 0 for its process group fails unless it is the
        // controlling terminal.
        let interactive = isatty(STDOUT_FILENO) == 1 && tcgetpgrp(STDIN_FILENO) == group
        kind = interactive ? CSANDBOX_JOB_FOREGROUND : CSANDBOX_JOB_SHARED
        self.terminal = consume terminal
    }

    /// Whether a signal that reached the caller is to be passed on.
    func passesOn(_ signal: Int32, fromTerminal: Bool) -> Bool {
        // A key on the terminal signals the whole process group, so a command that shares the group has it already. Not
        // so a hang-up, of which the kernel also tells a session's leader alone.
        !(kind == CSANDBOX_JOB_SHARED && fromTerminal && signal != SIGHUP)
    }

    /// The command was stopped by `signal`: stops the caller likewise, and returns when the caller is continued.
    ///
    /// - Returns: What to tell the sandbox; nil when the command was continued by other means.
    func suspend(by signal: Int32) -> csandbox_message? {
        // In a shared group the kernel and the shell stop and continue all of it.
        if kind == CSANDBOX_JOB_SHARED { return nil }
        let foreground = kind == CSANDBOX_JOB_FOREGROUND
        if foreground { _ = csandbox_take_terminal(terminal.rawValue) }
        csandbox_stop_self(signal, foreground)
        var message = csandbox_message()
        message.kind = Int32(CSANDBOX_RESUME.rawValue)
        // After `bg` the terminal stays with the shell.
        message.number = foreground && tcgetpgrp(STDIN_FILENO) == getpgrp() ? 1 : 0
        return message
    }

    /// Takes the terminal back from a process group that has ended.
    func restoreTerminal() {
        guard hadTerminal else { return }
        let owner = tcgetpgrp(terminal.rawValue)
        // A live group that is not ours is the shell's, which has moved this job to the background.
        if owner > 0, owner != getpgrp(), kill(-owner, 0) != 0 { _ = csandbox_take_terminal(terminal.rawValue) }
    }
}
