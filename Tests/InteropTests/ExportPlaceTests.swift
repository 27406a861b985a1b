import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// `export` to the places that skopeo knows, and its compressions.
    @Suite(.needs("skopeo", "umoci", "podman", "zstd", root: true)) struct ExportPlaceTests {
        let store: SharedStore
        let folder: TemporaryDirectory

        init() throws {
            store = try SharedStore.get()
            folder = try TemporaryDirectory()
        }

        @Test("skopeo finds each image by the name it was given, and images of one layout share blobs") func places()
            throws
        {
            let path = folder.path
            try store.program.succeed("export", "shell", "oci:\(path)/layout:1.0")
            let before = try folder.contents("layout/blobs/sha256").count
            try store.program.succeed("export", "everything", "oci:\(path)/layout:every/thing:2")
            // Beside bash and ls: the layer of odd, a configuration, a manifest.
            #expect(try folder.contents("layout/blobs/sha256").count == before + 3)
            for name in ["1.0", "every/thing:2"] {
                try Tool.succeed("skopeo", ["inspect", "oci:\(path)/layout:\(name)"])
            }
            try store.program.succeed("export", "shell", "oci-archive:\(path)/a.tar:v1")
            try Tool.succeed("skopeo", ["inspect", "oci-archive:\(path)/a.tar:v1"])
            try store.program.succeed("export", "shell", "docker-archive:\(path)/d.tar:localhost/shell:7")
            try Tool.succeed("skopeo", ["inspect", "docker-archive:\(path)/d.tar:localhost/shell:7"])
            #expect(try store.program.succeed("validate", path + "/layout", "--json").text.contains("every/thing:2"))
        }

        @Test("zstd layers unpack to the same root, and keep the diffIDs", arguments: ["1", "3", "19"]) func zstd(
            level: String
        ) throws {
            let path = folder.path
            try store.program.succeed("export", "everything", "oci:\(path)/gzip:x")
            try store.program.succeed(
                "export", "everything", "oci:\(path)/zstd:x", "--compression", "zstd", "--compression-level", level)
            let config = { (place: String) in
                try Tool.succeed("skopeo", ["inspect", "--config", "oci:\(path)/\(place):x"]).text
            }
            #expect(try config("zstd") == config("gzip"))
            let manifest = try Tool.succeed("skopeo", ["inspect", "--raw", "oci:\(path)/zstd:x"]).text
            #expect(manifest.contains("application/vnd.oci.image.layer.v1.tar+zstd"))
            let storage = ["--root", path + "/storage", "--runroot", path + "/run", "--storage-driver", "vfs"]
            try store.program.succeed(
                "export", "everything", "oci-archive:\(path)/a.tar:localhost/x:1", "--compression", "zstd",
                "--compression-level", level)
            try Tool.succeed("podman", storage + ["load", "--input", path + "/a.tar"])
            let root = try Tool.succeed("podman", storage + ["image", "mount", "localhost/x:1"]).lines[0]
            #expect(try store.program.run("diff", "everything", root).lines == [])
            try Tool.succeed("podman", storage + ["image", "unmount", "--all"])
        }

        @Test("layers are merged until there are few enough, and the root stays", arguments: [1, 2, 3, 9]) func merging(
            limit: Int
        ) throws {
            let layout = "oci:\(folder.path)/layout:1"
            try store.program.succeed("export", "everything", layout, "--max-layers", "\(limit)")
            let layers = try Tool.succeed("skopeo", ["inspect", "--format", "{{len .Layers}}", layout]).lines[0]
            #expect(layers == "\(min(limit, 3))")
            #expect(try store.program.run("diff", "everything", layout).lines == [])
            let history = try Tool.succeed("skopeo", ["inspect", "--config", layout]).text
            #expect(history.contains("layerfs add"))
            #expect(try store.program.run("export", "shell", layout, "--max-layers", "0").status == 64)
        }

        @Test("a registry as the place is a push") func pushing() throws {
            // Nobody listens there.
            let pushed = try store.program.run("export", "shell", "docker://localhost:1/x:1", "--compression", "zstd")
            #expect(pushed.status != 0 && pushed.status != 64, "\(pushed)")
            #expect(
                pushed.errors.contains("layerfs-registry") || pushed.errors.contains("localhost:1"), "\(pushed.errors)")
        }

        @Test("levels change the size, and nothing else") func levels() throws {
            var sizes: [Int] = []
            for level in ["1", "9"] {
                let file = folder.path + "/" + level
                try store.program.succeed(
                    "export", "shell", "--tar", file, "--compression", "gzip", "--compression-level", level)
                sizes.append(try folder.read(level).count)
                #expect(try store.program.run("diff", "shell", file).status == 0)
            }
            #expect(sizes[0] > sizes[1])
        }

        @Test("what cannot be is refused, and leaves nothing") func refused() throws {
            let path = folder.path
            let cases = [
                ["docker-archive:\(path)/x", "--compression", "zstd"],
                ["--docker", path + "/x", "--compression", "zstd"],
                ["oci:\(path)/x", "--compression-level", "10"],
                ["oci:\(path)/x", "--compression", "none", "--compression-level", "1"],
                ["oci:\(path)/x", "--compression", "zstd", "--compression-level", "0"],
                ["oci:\(path)/x:bad name"], ["docker-archive:\(path)/x:Upper+:1"], ["oci:"], ["\(path)/x"], ["oci:-"],
                [],
                ["oci:\(path)/x", "--tar", path + "/y"],
            ]
            for arguments in cases {
                let outcome = try store.program.run(["export", "shell"] + arguments)
                #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
            }
            #expect(try folder.contents() == [])
            let docker = try store.program.run("export", "shell", "docker-archive:\(path)/x", "--compression", "zstd")
            #expect(docker.errors.contains("Docker's image format has no zstd layers"))
        }
    }
}
