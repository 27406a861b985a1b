import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// `validate` on what we and others wrote.
    @Suite(.needs("skopeo", "podman", "umoci", "zstd", root: true)) struct ValidateTests {
        let store: SharedStore
        let folder: TemporaryDirectory

        init() throws {
            store = try SharedStore.get()
            folder = try TemporaryDirectory()
        }

        private struct Report: Decodable {
            struct Image: Decodable {
                struct Layer: Decodable {
                    var digest: String
                    var diffID: String?
                    var chainID: String?
                }
                var names: [String]
                var layers: [Layer]
            }
            struct Problem: Decodable {
                var kind: String
                var file: String
            }
            var kinds: [String]
            var images: [Image]
            var problems: [Problem]
        }

        private func report(_ target: String, status: Int32 = 0) throws -> Report {
            let outcome = try store.program.run("validate", target, "--json")
            #expect(outcome.status == status, "\(target): \(outcome.errors)")
            return try JSONDecoder().decode(Report.self, from: Data(outcome.output))
        }

        @Test("layouts and archives of skopeo, podman and umoci, in all their forms") func foreign() throws {
            let path = folder.path
            let copies = [
                "oci:\(path)/oci:x", "oci-archive:\(path)/oci.tar:x", "docker-archive:\(path)/docker.tar:x:1",
            ]
            try store.program.succeed("export", "everything", "oci:\(path)/layout:x")
            for copy in copies {
                try Tool.succeed("skopeo", ["--insecure-policy", "copy", "oci:\(path)/layout:x", copy])
            }
            try Tool.succeed(
                "skopeo",
                [
                    "--insecure-policy", "copy", "--dest-compress-format", "zstd", "oci:\(path)/layout:x",
                    "oci:\(path)/zstd:x",
                ])
            let storage = ["--root", path + "/storage", "--runroot", path + "/run", "--storage-driver", "vfs"]
            try Tool.succeed("podman", storage + ["load", "--input", path + "/oci.tar"])
            let id = try Tool.succeed("podman", storage + ["images", "--quiet"]).lines[0]
            for format in ["oci-archive", "docker-archive"] {
                try Tool.succeed(
                    "podman", storage + ["save", "--format", format, "--output", "\(path)/podman-\(format)", id])
            }
            try Tool.succeed("umoci", ["unpack", "--image", path + "/oci:x", path + "/bundle"])
            try Tool.succeed("sh", ["-c", "echo more > '\(path)/bundle/rootfs/more'"])
            try Tool.succeed("umoci", ["repack", "--image", path + "/oci:y", path + "/bundle"])

            let diffIDs = try report(path + "/layout").images[0].layers.map(\.diffID)
            for target in copies + [
                "\(path)/oci", "\(path)/zstd", "\(path)/docker.tar", "\(path)/podman-oci-archive",
                "\(path)/podman-docker-archive",
            ] {
                let found = try report(target)
                #expect(found.problems.isEmpty, "\(target)")
                let layers = try #require(found.images.first?.layers)
                #expect(layers.map(\.diffID) == diffIDs, "\(target)")
                #expect(layers.allSatisfy { $0.chainID != nil })
            }
            #expect(try report(path + "/oci").images.map(\.names) == [["x"], ["y"]])
        }

        @Test("damage is reported whole, with exit code 5") func damage() throws {
            let path = folder.path
            try store.program.succeed("export", "everything", "oci:\(path)/layout:x")
            let layers = try report(path + "/layout").images[0].layers
            for layer in layers.prefix(2) {
                let file = path + "/layout/blobs/" + layer.digest.replacingOccurrences(of: ":", with: "/")
                try Tool.succeed(
                    "sh",
                    [
                        "-c",
                        "cp '\(file)' '\(file).own' && mv '\(file).own' '\(file)' && printf x | dd of='\(file)' bs=1 seek=200 conv=notrunc 2>/dev/null",
                    ])
            }
            let found = try report(path + "/layout", status: 5)
            #expect(found.problems.map(\.kind) == ["digest", "digest"])
            #expect(found.images[0].layers[2].diffID == layers[2].diffID)
            let text = try store.program.run("validate", path + "/layout")
            #expect(text.status == 5 && text.lines.count == 2)
            #expect(text.lines[0].hasPrefix("digest: image x (linux/"))
            // One that is whole stays so.
            try store.program.succeed("export", "shell", "oci:\(path)/other:1")
            try Tool.succeed("tar", ["--create", "--file", path + "/other.tar", "--directory", path + "/other", "."])
            #expect(try report("oci-archive:\(path)/other.tar:1").problems.isEmpty)
            try Tool.succeed("truncate", ["--size", "-20000", path + "/other.tar"])
            #expect(try store.program.run("validate", path + "/other.tar").status == 5)
        }

        @Test("what is not there, or no image, is said") func trouble() throws {
            try folder.write("text", Array("hello".utf8))
            try Tool.succeed("tar", ["--create", "--file", folder.path + "/t.tar", "--directory", folder.path, "text"])
            for (target, status) in [
                (folder.path + "/absent", 2), ("oci:" + folder.path + "/absent", 2), (folder.path, 1),
                (folder.path + "/t.tar", 1), (folder.path + "/text", 5), ("docker://example.org/x", 64),
            ] as [(String, Int32)] {
                #expect(try store.program.run("validate", target).status == status, "\(target)")
            }
        }
    }
}
