import Foundation

/// A file system that is mounted while a test runs. Needs root.
public struct MountedFileSystem: Sendable {
    /// Where it is mounted.
    public let path: String

    /// Runs `body` on an image file that `mkfs` made a file system of, of the least size that it allows.
    public static func withImage<Result>(
        size: String, mkfs: [String], _ body: (MountedFileSystem) throws -> Result
    ) throws -> Result {
        let folder = try TemporaryDirectory()
        let image = folder.path + "/image"
        try Tool.succeed("truncate", ["--size", size, image])
        try Tool.succeed(mkfs[0], mkfs.dropFirst() + [image])
        return try with(["-o", "loop", image], in: folder, body)
    }

    /// Runs `body` on an empty tmpfs.
    public static func withMemory<Result>(
        options: String, _ body: (MountedFileSystem) throws -> Result
    ) throws -> Result {
        try with(["-t", "tmpfs", "-o", options, "tmpfs"], in: TemporaryDirectory(), body)
    }

    /// Runs `body` on `directory`, seen where nothing can be written.
    public static func withReadOnly<Result>(
        _ directory: String, _ body: (MountedFileSystem) throws -> Result
    ) throws -> Result {
        try with(["-o", "bind,ro", directory], in: TemporaryDirectory(), body)
    }

    /// Unmounts whatever a program left mounted below `directory`.
    public static func unmountAll(below directory: String) {
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        let points = mounts.split(separator: "\n").compactMap {
            $0.split(separator: " ").dropFirst().first.map(String.init)
        }
        for point in points.reversed() where point.hasPrefix(directory + "/") {
            _ = try? Tool.run("umount", ["--lazy", point])
        }
    }

    private static func with<Result>(
        _ arguments: [String], in folder: TemporaryDirectory, _ body: (MountedFileSystem) throws -> Result
    ) throws -> Result {
        let mounted = MountedFileSystem(path: folder.path + "/mounted")
        try FileManager.default.createDirectory(atPath: mounted.path, withIntermediateDirectories: false)
        try Tool.succeed("mount", arguments + [mounted.path])
        defer {
            // Lazily when something still holds it: it must be gone before its folder is removed.
            if (try? Tool.succeed("umount", [mounted.path])) == nil {
                _ = try? Tool.run("umount", ["--lazy", mounted.path])
            }
        }
        return try body(mounted)
    }
}
