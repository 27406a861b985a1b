import Glibc
import Synchronization
import Testing

/// Who runs the sandbox.
enum Caller: CaseIterable, Sendable, CustomTestStringConvertible {
    case root, unprivileged

    static let unprivilegedUser = 65534

    /// Those that the user running the tests can be, on a machine that lets them make namespaces.
    static let available: [Caller] = geteuid() == 0 ? [.root, .unprivileged] : [.unprivileged]

    /// The words before a command that is to run as this user.
    var prefix: [String] {
        guard self == .unprivileged, geteuid() == 0 else { return [] }
        return ["setpriv", "--reuid=\(Self.unprivilegedUser)", "--regid=\(Self.unprivilegedUser)", "--clear-groups"]
    }

    /// Whether the tests can run here: some container engines forbid namespaces altogether.
    static let canMakeNamespaces: Bool = {
        if getenv("CI") != nil { return true }
        return available.allSatisfy { caller in
            (try? Child.run(caller.prefix + ["unshare", "-Urmp", "true"]).status) == 0
        }
    }()

    var testDescription: String { self == .root ? "root" : "unprivileged user" }
}

/// The executable that runs one command in one root, built beside the tests.
enum Probe {
    static let path: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer[..<max(0, length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = own.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        let built = folder + "/sandbox-probe"
        // A checkout below /root, say, cannot be reached by the unprivileged caller: then a copy can.
        guard geteuid() == 0, (try? Child.run(Caller.unprivileged.prefix + ["test", "-x", built]).status) != 0,
            let copy = try? Child.run(["mktemp", "/tmp/sandbox-probe-XXXXXX"]).output.split(separator: "\n").first.map(
                String.init),
            (try? Child.run(["install", "-m", "0755", built, copy]).status) == 0
        else { return built }
        copied.withLock { $0 = copy }
        atexit { _ = Probe.copied.withLock { $0 }.map { unlink($0) } }
        return copy
    }()

    /// What is to be removed when the tests end.
    private static let copied = Mutex<String?>(nil)

    /// Runs `command` in `root` with PATH=/bin.
    static func run(
        _ caller: Caller, _ root: TestRoot, options: [String] = [], _ command: [String]
    ) throws -> Child.Outcome {
        try start(caller, root, options: options, command).finish()
    }

    static func start(
        _ caller: Caller, _ root: TestRoot, options: [String] = [], _ command: [String]
    ) throws -> Child {
        try Child(caller.prefix + [path, "-e", "PATH=/bin"] + options + [root.path] + command)
    }
}
