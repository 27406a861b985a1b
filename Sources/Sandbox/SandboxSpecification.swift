public import Bytes

/// A command to run in a directory as its root, and what it finds there.
///
/// The root is only ever read. Inside, the command sees it under a throw-away overlay, with a fresh `/proc`, a minimal
/// `/dev`, the host's `/sys` read-only where the kernel gives it, and, when the root has none, an empty `/tmp`; a
/// root's own `/tmp` stays, since its changes are thrown away like all others. The network is the host's.
///
/// This is for trying a root out. It keeps mistakes in; it is not a wall against a program that attacks the kernel.
public struct SandboxSpecification: Sendable {
    /// The directory on the host, absolute or relative to the current directory. Not the host's own root.
    public var root: ByteString
    /// The command and its arguments, the first of which is looked for in the `PATH` of ``environment`` inside the
    /// root unless it has a slash.
    public var command: [ByteString]
    /// Exactly the environment of the command, each `NAME=value`.
    public var environment: [ByteString] = []
    /// Made when missing.
    public var workingDirectory: TreePath = .root
    /// At most 64 bytes (sethostname(2)).
    public var hostname: ByteString = "layerfs"
    public var user: SandboxUser = .root
    /// Bytes that changes may take, all of them in memory; nil for the kernel's default, half of it.
    public var scratchLimit: UInt64?
    public var signals: SignalPolicy = .forward

    public init(root: ByteString, command: [ByteString]) {
        self.root = root
        self.command = command
    }

    /// Where a command is looked for when the environment has no `PATH`.
    public static let defaultSearchPath: ByteString = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// What the kernel's and C library's interfaces cannot carry.
    func validate() throws(SandboxError) {
        guard let name = command.first else { throw .invalid(.emptyCommand) }
        guard !root.isEmpty else { throw .invalid(.emptyRoot) }
        for text in [root, hostname] + command + environment where text.contains(0) { throw .invalid(.containsNUL(text)) }
        guard !name.isEmpty else { throw .commandNotFound(name, searched: searchPath) }
        guard hostname.count <= 64 else { throw .invalid(.hostname(hostname)) }
        for variable in environment {
            guard let equals = variable.bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0 else {
                throw .invalid(.variable(variable))
            }
        }
    }

    /// `PATH` of the environment; the first wins, as for getenv(3).
    var searchPath: ByteString {
        let name: ByteString = "PATH="
        guard let variable = environment.first(where: { $0.hasPrefix(name) }) else { return Self.defaultSearchPath }
        return ByteString(variable.bytes.dropFirst(name.count))
    }
}

/// The user and group a command runs as: numbers inside the root.
///
/// Without privileges the kernel lets one user be mapped, so the caller appears inside as this user, whichever it is.
public struct SandboxUser: Hashable, Sendable {
    public var uid: UInt32
    public var gid: UInt32

    public init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }

    public static let root = SandboxUser(uid: 0, gid: 0)
}

/// What becomes of the signals and the terminal of the calling process while the command runs.
public enum SignalPolicy: Hashable, Sendable {
    /// As a shell would: the command is the job. On a terminal it gets the terminal (or stays in the caller's process
    /// group when it is part of a pipeline), SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGUSR2 and SIGTSTP
    /// sent to the caller are passed on, and when the command is stopped so is the caller. For one run at a time.
    case forward
    /// Nothing is caught: the command runs in a session of its own, and ends with the caller.
    case leave
}
