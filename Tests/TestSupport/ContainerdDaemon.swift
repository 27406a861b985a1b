import Foundation

/// A containerd of the tests' own, without Docker and Kubernetes, with all its state in a temporary directory. Needs root.
public struct ContainerdDaemon: Sendable {
    private let folder: TemporaryDirectory

    private var socket: String { folder.path + "/socket" }

    /// Runs `body` while it runs; it is stopped whatever becomes of `body`.
    ///
    /// - Throws: ``ServerProcess/NotStarted`` with its log, or what `body` throws.
    public static func whileRunning<Result>(_ body: (ContainerdDaemon) async throws -> Result) async throws -> Result {
        let daemon = ContainerdDaemon(folder: try TemporaryDirectory())
        let folder = daemon.folder
        // The plugin for Kubernetes wants a network.
        let configuration = """
            version = 2
            root = "\(folder.path)/root"
            state = "\(folder.path)/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "\(daemon.socket)"
            [ttrpc]
              address = "\(daemon.socket).ttrpc"

            """
        try folder.write("config.toml", Array(configuration.utf8))
        let process = try ServerProcess("containerd", ["--config", folder.path + "/config.toml"], in: folder)
        defer {
            process.stop()
            MountedFileSystem.unmountAll(below: folder.path)
        }
        try await process.wait { try Tool.run("ctr", ["--address", daemon.socket, "version"]).status == 0 }
        return try await body(daemon)
    }

    /// Runs a command of its client, ctr; that it fails is an error.
    @discardableResult
    public func succeed(_ arguments: String...) throws -> Tool.Outcome {
        try Tool.succeed("ctr", ["--address", socket] + arguments)
    }

    /// Unpacks `image` and runs `body` on its root. The snapshotter copies: it works on every file system.
    public func withRoot<Result>(of image: String, _ body: (_ root: String) throws -> Result) throws -> Result {
        let root = folder.path + "/mounted-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        try succeed("images", "mount", "--snapshotter", "native", image, root)
        defer { _ = try? succeed("images", "unmount", "--rm", "--snapshotter", "native", root) }
        return try body(root)
    }

    /// Runs the command of `image`'s own in a container without a network.
    public func runContainer(of image: String) throws -> Tool.Outcome {
        try succeed(
            "run", "--rm", "--snapshotter", "native", "--runc-root", folder.path + "/runc", image,
            "layerfs-" + UUID().uuidString.lowercased())
    }
}
