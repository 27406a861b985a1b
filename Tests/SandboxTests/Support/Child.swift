import Glibc
import Synchronization
import SystemPackage

/// A process of the tests, its output caught.
struct Child {
    let process: pid_t
    private let output: Int32
    private let errors: Int32

    struct Outcome {
        /// As a shell would say it: 128 and the number for a signal.
        var status: Int32
        var output: String
        var errors: String
    }

    init(_ arguments: [String]) throws {
        self = try Self.starting.withLock { _ in try Self(starting: arguments) }
    }

    /// Held while descriptors exist that another child must not inherit: it would keep a pipe's end open.
    private static let starting = Mutex(())

    private init(starting arguments: [String]) throws {
        var out: [Int32] = [0, 0]
        var err: [Int32] = [0, 0]
        guard pipe(&out) == 0, pipe(&err) == 0 else { throw Errno(rawValue: Glibc.errno) }
        for number in out + err { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, out[1], 1)
        posix_spawn_file_actions_adddup2(&actions, err[1], 2)
        // The threads that run tests block signals, and a new program inherits that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let failure = posix_spawnp(&child, arguments[0], &actions, &attributes, words, environ)
        close(out[1])
        close(err[1])
        guard failure == 0 else { throw Errno(rawValue: failure) }
        process = child
        output = out[0]
        errors = err[0]
    }

    /// Everything it writes until it, and all that inherited its output, has ended.
    func finish() -> Outcome {
        // Nothing here writes so much to stderr that reading one after the other could block.
        let text = Self.read(output, until: nil)
        let complaints = Self.read(errors, until: nil)
        close(output)
        close(errors)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, Glibc.errno == EINTR {}
        let signal = status & 0x7f
        return Outcome(status: signal == 0 ? status >> 8 & 0xff : 128 + signal, output: text, errors: complaints)
    }

    /// Reads up to a line that says `ready`.
    func waitUntilReady() -> Bool { Self.read(output, until: "ready\n").hasSuffix("ready\n") }

    static func run(_ arguments: [String]) throws -> Outcome { try Child(arguments).finish() }

    private static func read(_ file: Int32, until end: String?) -> String {
        var bytes: [UInt8] = []
        // Byte by byte when the rest is another reader's.
        var buffer = [UInt8](repeating: 0, count: end == nil ? 65536 : 1)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, Glibc.errno == EINTR { continue }
            if count <= 0 { break }
            bytes += buffer[..<count]
            if let end, bytes.suffix(end.utf8.count).elementsEqual(end.utf8) { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
