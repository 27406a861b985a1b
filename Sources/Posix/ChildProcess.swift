public import Bytes
import CLinux
import Glibc
import SystemPackage

/// Another program that runs with what is written to it as its standard input; killed when nobody waits for it.
public final class ChildProcess {
    private let process: pid_t
    private var input: OwnedDescriptor?
    private var isReaped = false
    private let name: ByteString

    /// Starts the program `path`. Signals that this process ignores have their usual effect in it.
    ///
    /// - Parameters:
    ///   - environment: `NAME=value`, all there are.
    ///   - output: what standard output and standard error go to.
    public init(
        _ path: ByteString, _ arguments: [ByteString], environment: [ByteString], output: borrowing OwnedDescriptor
    ) throws(SystemError) {
        name = path
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw SystemError.last("pipe2", path) }
        let reading = OwnedDescriptor(adopting: ends[0], path: path)
        let writing = OwnedDescriptor(adopting: ends[1], path: path)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, reading.rawValue, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output.rawValue, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output.rawValue, STDERR_FILENO)
        var usual = sigset_t()
        sigemptyset(&usual)
        for signal in [SIGPIPE, SIGXFSZ] { sigaddset(&usual, signal) }
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        let strings = CStrings([path] + arguments)
        let variables = CStrings(environment)
        var process = pid_t()
        let status = strings.with { arguments in
            variables.with { variables in
                posix_spawn(&process, arguments[0]!, &actions, &attributes, arguments, variables)
            }
        }
        guard status == 0 else { throw SystemError("posix_spawn", path, Errno(rawValue: status)) }
        self.process = process
        input = consume writing
    }

    deinit {
        if !isReaped {
            kill(process, SIGKILL)
            _ = reap()
        }
    }

    /// Gives `bytes` to the program.
    ///
    /// - Throws: EPIPE when it reads no more; ``finish()`` says what became of it.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) { try input!.writeAll(bytes) }

    /// Ends the program's input and waits for it.
    ///
    /// - Returns: its exit status; as a shell has it, 128 and the signal's number when a signal ended it.
    public func finish() -> Int32 {
        input = nil
        isReaped = true
        return reap()
    }

    private func reap() -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

/// Strings as C wants lists of them, kept for the time of a call.
private final class CStrings {
    private let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    /// A NUL ends a string early, as it would for the program itself.
    init(_ texts: [ByteString]) {
        pointers = .allocate(capacity: texts.count + 1)
        pointers.initialize(repeating: nil)
        for (index, text) in texts.enumerated() {
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count + 1)
            for (offset, byte) in text.bytes.enumerated() { copy[offset] = CChar(bitPattern: byte) }
            copy[text.count] = 0
            pointers[index] = copy
        }
    }

    deinit {
        for pointer in pointers { pointer?.deallocate() }
        pointers.deallocate()
    }

    func with<Result>(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
        body(pointers.baseAddress!)
    }
}
