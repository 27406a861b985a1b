import Foundation

/// A Docker daemon of the tests' own, with all its state in a temporary directory. Needs root.
public struct DockerDaemon: Sendable {
    private let folder: TemporaryDirectory

    private var socket: String { folder.path + "/socket" }
    private var data: String { folder.path + "/data" }

    /// Runs `body` while a daemon runs, which is stopped whatever becomes of `body`.
    ///
    /// - Throws: ``ServerProcess/NotStarted`` with the daemon's log, or what `body` throws.
    public static func whileRunning<Result>(_ body: (DockerDaemon) async throws -> Result) async throws -> Result {
        var failure: ServerProcess.NotStarted?
        for driver in ["overlay2", "vfs"] {
            let daemon = DockerDaemon(folder: try TemporaryDirectory())
            let process = try daemon.start(storageDriver: driver)
            defer { daemon.stop(process) }
            do {
                try await process.wait { try daemon.run(["version"]).status == 0 }
            } catch let error as ServerProcess.NotStarted {
                failure = error
                continue
            }
            return try await body(daemon)
        }
        throw failure ?? ServerProcess.NotStarted(name: "dockerd", log: "")
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

    /// Without a network, which would need the machine's firewall; containerd is a child of the daemon.
    private func start(storageDriver: String) throws -> ServerProcess {
        try folder.write("daemon.json", Array("{}".utf8))
        return try ServerProcess(
            "dockerd",
            [
                "--config-file", folder.path + "/daemon.json", "--host", "unix://" + socket, "--data-root", data,
                "--exec-root", folder.path + "/exec", "--pidfile", folder.path + "/pid", "--iptables=false",
                "--ip6tables=false", "--bridge=none", "--storage-driver", storageDriver,
            ], in: folder)
    }

    private func stop(_ process: ServerProcess) {
        // It stops its containers and containerd on SIGTERM.
        process.stop()
        // overlay2 mounts its own directory on itself, and leaves it so.
        MountedFileSystem.unmountAll(below: folder.path)
    }
}
