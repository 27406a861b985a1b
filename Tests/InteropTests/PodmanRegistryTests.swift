import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// podman and layerfs as neighbours of one registry.
    @Suite(.needs("docker-registry", "podman", root: true)) struct PodmanRegistryTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = try SharedStore.get().program
        }

        static let insecure = "--tls-verify=false"

        /// podman with a storage of its own.
        private func podman(_ arguments: String...) throws -> Tool.Outcome {
            let storage = [
                "--root", folder.path + "/storage", "--runroot", folder.path + "/run", "--tmpdir",
                folder.path + "/tmp", "--storage-driver", "vfs",
            ]
            return try Tool.succeed("podman", storage + arguments)
        }

        private func diffIDs(_ image: String) throws -> [String] {
            let text = try podman("image", "inspect", "--format", "{{json .RootFS.Layers}}", image).output
            return try JSONDecoder().decode([String].self, from: Data(text))
        }

        private struct Pulled: Decodable { var diffIDs: [String] }

        @Test("what layerfs pushes podman pulls, and saves as the same root", arguments: ["gzip", "zstd"])
        func fromHere(compression: String) async throws {
            defer { MountedFileSystem.unmountAll(below: folder.path) }
            try await RegistryServer.whileRunning(.plain) { registry in
                let image = "\(registry.host)/team/everything:1"
                try program.succeed(
                    "push", "everything", "docker://\(image)", Self.insecure, "--compression", compression)
                _ = try podman("pull", "--quiet", Self.insecure, image)
                // Docker's archives know no zstd.
                for format in ["oci-archive"] + (compression == "zstd" ? [] : ["docker-archive"]) {
                    let saved = folder.path + "/\(format).tar"
                    _ = try podman("save", "--quiet", "--format", format, "--output", saved, image)
                    #expect(try program.run("diff", "everything", "\(format):\(saved)").lines == [])
                }
            }
        }

        @Test("what podman pushes layerfs pulls, with the same diffIDs, and gives back", arguments: ["oci", "v2s2"])
        func fromThere(format: String) async throws {
            defer { MountedFileSystem.unmountAll(below: folder.path) }
            let archive = folder.path + "/archive.tar"
            try program.succeed("export", "everything", "oci-archive:\(archive):localhost/everything:1")
            _ = try podman("load", "--quiet", "--input", archive)
            try await RegistryServer.whileRunning(.plain) { registry in
                let image = "\(registry.host)/theirs:1"
                _ = try podman(
                    "push", "--quiet", Self.insecure, "--format", format, "localhost/everything:1", image)
                var mine = program
                mine.store = folder.path + "/mine"
                let output = try mine.succeed("pull", "docker://\(image)", "-t", "pulled", Self.insecure, "--json")
                    .output
                let pulled = try #require(try JSONDecoder().decode([Pulled].self, from: Data(output)).first)
                #expect(try pulled.diffIDs == diffIDs("localhost/everything:1"))
                let exported = folder.path + "/exported"
                try program.succeed("export", "everything", "--oci", exported, "--name", "x")
                #expect(try mine.run("diff", "pulled", "oci:\(exported)").lines == [])
                // And once more by way of the registry: podman has all layers already.
                let back = "\(registry.host)/back:1"
                try mine.succeed("push", "pulled", "docker://\(back)", Self.insecure)
                _ = try podman("pull", "--quiet", Self.insecure, back)
                #expect(try diffIDs(back) == pulled.diffIDs)
            }
        }
    }
}
