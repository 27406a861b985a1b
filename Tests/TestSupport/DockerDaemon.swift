import Foundation

/// A Docker daemon of the tests' own, with all its state in a temporary directory. Needs root.
public struct DockerDaemon: Sendable {
    private let folder: TemporaryDirectory

    private var socket: String { folder.path + "/socket" }
    private var data: String { folder.path + "/data" }
    private var log: String { folder.path + "/log" }

    /// Runs `body` while a daemon runs, which is stopped whatever becomes of `body`.
    ///
    /// - Throws: ``NotStarted`` with the daemon's log, or what `body` throws.
    public static func whileRunning<Result>(_ body: (DockerDaemon) async throws -> Result) async throws -> Result {
        var failure: NotStarted?
        for driver in ["overlay2", "vfs"] {
            let daemon = DockerDaemon(folder: try TemporaryDirectory())
            let process = try daemon.start(storageDriver: driver)
            defer { daemon.stop(process) }
            do {
                try await daemon.waitForSocket(process)
            } catch let error as NotStarted {
                failure = error
                continue
            }
            return try await body(daemon)
        }
        throw failure ?? NotStarted(log: "")
    }

    /// Runs a command of the client.
    public func run(_ arguments: [String], input: [UInt8]? = nil) throws -> Tool.Outcome {
        try Tool.run("docker", ["--host", "unix://" + socket] + arguments, input: input)
    }

    /// Runs a command of the client; that it fails is an error.
    @discardableResult
    public func succeed(_ arguments: [String], input: [UInt8]? = nil) throws -> Tool.Outcome {
        try Tool.succeed("docker", ["--host", "unix://" + socket] + arguments, input: input)
    }

    /// The daemon did not answer in time.
    public struct NotStarted: Error, CustomStringConvertible {
        public let log: String

        public var description: String { "dockerd did not start; its log ends with:\n\(log.suffix(6000))" }
    }

    /// Without a network, which would need the machine's firewall; containerd is a child of the daemon.
    private func start(storageDriver: String) throws -> Process {
        try folder.write("daemon.json", Array("{}".utf8))
        try folder.write("log", [])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Tool.path(of: "dockerd") ?? "/usr/sbin/dockerd")
        process.arguments = [
            "--config-file", folder.path + "/daemon.json", "--host", "unix://" + socket, "--data-root", data,
            "--exec-root", folder.path + "/exec", "--pidfile", folder.path + "/pid", "--iptables=false",
            "--ip6tables=false", "--bridge=none", "--storage-driver", storageDriver,
        ]
        let log = try FileHandle(forWritingTo: URL(fileURLWithPath: self.log))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        try process.run()
        return process
    }

    private func waitForSocket(_ process: Process) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try run(["version"]).status != 0 {
            // Only now: other tests may keep this one from going on for longer than a daemon takes to start.
            guard process.isRunning, ContinuousClock.now < deadline else {
                throw NotStarted(log: (try? folder.read("log")).map { String(decoding: $0, as: UTF8.self) } ?? "")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func stop(_ process: Process) {
        // It stops its containers and containerd on SIGTERM.
        process.terminate()
        process.waitUntilExit()
        // overlay2 mounts its own directory on itself, and leaves it so.
        MountedFileSystem.unmountAll(below: folder.path)
    }
}
