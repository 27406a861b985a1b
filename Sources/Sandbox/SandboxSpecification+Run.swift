import CSandbox
import Glibc
import SystemPackage

extension SandboxSpecification {
    /// Runs the command and waits for its end. The calling thread is blocked, and must not be ended meanwhile: the
    /// sandbox dies with it.
    ///
    /// Nothing is left behind, however the command or this process ends: mounts and changes live in namespaces that end
    /// with the last process inside, and all those are killed with the caller.
    ///
    /// - Throws: ``SandboxError`` when the command did not start; see ``SandboxError/exitCode``.
    public func run() throws(SandboxError) -> CommandStatus {
        try validate()
        if csandbox_open_streams() != 0 { throw .system(call: "open", Errno(rawValue: Glibc.errno)) }
        let job = TerminalJob(signals)
        guard signals == .forward else {
            return try RunningSandbox(self, job: job.kind).wait(self, job: job, signals: nil)
        }
        let caught = csandbox_catch_signals(job.kind)
        guard caught >= 0 else {
            let errno = Errno(rawValue: Glibc.errno)
            throw errno == .resourceBusy ? .signalsTaken : .system(call: "pipe2", errno)
        }
        defer { csandbox_release_signals() }
        return try RunningSandbox(self, job: job.kind).wait(self, job: job, signals: caught)
    }
}
