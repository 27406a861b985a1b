import TestSupport

/// A program that makes a root of an image.
enum ImageReader: String, CaseIterable, Sendable {
    case umoci
    /// umoci without privileges, and so without owners.
    case umociRootless
    /// skopeo's copy of the layout, unpacked.
    case skopeo
    case podman
    case buildah

    /// Exports an image with layerfs, to the option and the place given.
    typealias Export = (_ option: String, _ place: String) throws -> Void

    /// Has the program read what `export` writes, and runs `body` on the root that it made.
    ///
    /// - Parameter folder: empty, and the unprivileged user's own.
    func withRoot<Result>(
        in folder: TemporaryDirectory, _ export: Export, _ body: (_ root: String) throws -> Result
    ) throws -> Result {
        let (layout, bundle) = (folder.path + "/layout", folder.path + "/bundle")
        defer { MountedFileSystem.unmountAll(below: folder.path) }
        switch self {
        case .umoci:
            try export("--oci", layout)
            try Tool.succeed("umoci", ["unpack", "--image", layout + ":image", bundle])
            return try body(bundle + "/rootfs")
        case .umociRootless:
            try export("--oci", layout)
            let unpack = ["umoci", "unpack", "--rootless", "--image", layout + ":image", bundle]
            let command = isRoot ? User.nobody.wrapper + unpack : unpack
            try Tool.succeed(command[0], Array(command.dropFirst()))
            return try body(bundle + "/rootfs")
        case .skopeo:
            try export("--oci", layout)
            let copy = folder.path + "/copy"
            try Tool.succeed("skopeo", ["copy", "--quiet", "oci:\(layout):image", "oci:\(copy):copied"])
            try Tool.succeed("umoci", ["unpack", "--image", copy + ":copied", bundle])
            return try body(bundle + "/rootfs")
        case .podman:
            let archive = folder.path + "/archive"
            try export("--oci-archive", archive)
            let options = Self.storage(folder) + ["--tmpdir", folder.path + "/tmp"]
            try Tool.succeed("podman", options + ["load", "--quiet", "--input", archive])
            let root = try Tool.succeed("podman", options + ["image", "mount", "docker.io/library/image:latest"]).lines[
                0]
            defer { _ = try? Tool.run("podman", options + ["image", "unmount", "--all"]) }
            return try body(root)
        case .buildah:
            try export("--oci", layout)
            let options = Self.storage(folder)
            let container = try Tool.succeed("buildah", options + ["from", "--quiet", "oci:\(layout):image"]).lines[0]
            let root = try Tool.succeed("buildah", options + ["mount", container]).lines[0]
            defer { _ = try? Tool.run("buildah", options + ["umount", container]) }
            return try body(root)
        }
    }

    private static func storage(_ folder: TemporaryDirectory) -> [String] {
        ["--root", folder.path + "/storage", "--runroot", folder.path + "/run", "--storage-driver", "vfs"]
    }
}
