import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Indexes of images for several platforms, and what skopeo and a registry make of them.
    @Suite(.needs("skopeo", "docker-registry")) struct ImageIndexTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            let shared = try SharedStore.get()
            program = LayerFSProgram(store: folder.path + "/store")
            try Tool.succeed("cp", ["-a", shared.program.store, program.store])
            // What it holds can run anywhere; only the configuration says where.
            try program.succeed("compose", "odd", "-t", "odd-arm64", "--platform", "linux/arm64")
            try program.succeed("compose", "ls+odd", "-t", "both-riscv", "--platform", "linux/riscv64")
        }

        static let insecure = "--tls-verify=false"

        private struct Index: Decodable {
            struct Entry: Decodable {
                struct Platform: Decodable {
                    var os: String
                    var architecture: String
                }
                var digest: String
                var platform: Platform
            }
            var mediaType: String
            var manifests: [Entry]
            var annotations: [String: String]?
        }

        private func raw(_ place: String, _ options: [String] = []) throws -> [UInt8] {
            try Tool.succeed("skopeo", ["inspect", "--raw"] + options + [place]).output
        }

        private func index(_ bytes: [UInt8]) throws -> Index {
            try JSONDecoder().decode(Index.self, from: Data(bytes))
        }

        private func digest(of image: String) throws -> String {
            struct Report: Decodable {
                struct Document: Decodable { var digest: String }
                var manifest: Document
            }
            let output = try program.succeed(
                "export", image, "--oci", folder.path + "/alone-\(image)", "--name", "x", "--json"
            ).output
            return try JSONDecoder().decode(Report.self, from: Data(output)).manifest.digest
        }

        @Test("an index has each image as it is alone, and goes through layout, skopeo and registry unchanged")
        func roundTrip() async throws {
            try program.succeed(
                "index", "create", "-t", "multi", "shell", "odd-arm64", "--annotation", "org.example.a=b=c")
            let layout = folder.path + "/layout"
            try program.succeed("export", "multi", "oci:\(layout):multi")
            let bytes = try raw("oci:\(layout):multi")
            let found = try index(bytes)
            #expect(found.mediaType == "application/vnd.oci.image.index.v1+json")
            #expect(found.annotations == ["org.example.a": "b=c"])
            #expect(found.manifests.map(\.platform.architecture) == ["amd64", "arm64"])
            #expect(try found.manifests.map(\.digest) == [digest(of: "shell"), digest(of: "odd-arm64")])
            #expect(try program.succeed("validate", layout).status == 0)
            // skopeo checks every digest.
            let copied = folder.path + "/copied"
            try Tool.succeed("skopeo", ["copy", "--quiet", "--all", "oci:\(layout):multi", "oci:\(copied):multi"])
            #expect(try raw("oci:\(copied):multi") == bytes)
            try program.succeed("export", "multi", "oci-archive:\(folder.path)/a.tar:multi")
            #expect(try raw("oci-archive:\(folder.path)/a.tar:multi") == bytes)
            try await RegistryServer.whileRunning(.plain) { registry in
                let place = "docker://\(registry.host)/team/multi:1"
                try program.succeed("push", "multi", place, Self.insecure)
                #expect(try raw(place, [Self.insecure]) == bytes)
                let again = try program.run("push", "multi", place, Self.insecure)
                #expect(again.status == 0 && again.errors.contains("nothing compressed"), "\(again.errors)")
                try program.succeed("pull", place, "--all-platforms", "--oci", folder.path + "/pulled", Self.insecure)
                #expect(try raw("oci:\(folder.path)/pulled:1") == bytes)
                var other = program
                other.store = folder.path + "/other"
                try other.succeed("pull", place, "--all-platforms", "-t", "got", Self.insecure)
                try other.succeed(
                    "index", "create", "-t", "again", "got-linux-amd64", "got-linux-arm64", "--annotation",
                    "org.example.a=b=c")
                try other.succeed("export", "again", "oci:\(folder.path)/again:x")
                #expect(try raw("oci:\(folder.path)/again:x") == bytes)
                #expect(try other.succeed("fsck").status == 0)
            }
        }

        @Test("where one image is wanted, it is that for this machine") func oneOfThem() throws {
            try program.succeed("index", "create", "-t", "multi", "odd-arm64", "shell")
            #expect(try program.run("diff", "multi", "shell").status == 0)
            #expect(try program.succeed("run", "multi", "--", "bash", "-c", "echo here").lines == ["here"])
            try program.succeed("export", "multi", "--docker", folder.path + "/d.tar", "--name", "x")
            let inspected = try Tool.succeed("skopeo", ["inspect", "docker-archive:\(folder.path)/d.tar"]).text
            #expect(inspected.contains(#""Architecture": "amd64""#))
            try program.succeed("index", "create", "-t", "foreign", "odd-arm64", "both-riscv")
            let outcome = try program.run("run", "foreign", "--", "x")
            #expect(outcome.errors.contains("linux/arm64, linux/riscv64"), "\(outcome.errors)")
            #expect(try program.run("show", "foreign").status == 2)
        }

        @Test("an index keeps its images when their names are gone, and lets go of them with its own") func keeping()
            throws
        {
            try program.succeed("index", "create", "-t", "multi", "shell", "odd-arm64")
            try program.succeed("export", "multi", "oci:\(folder.path)/before:x")
            for names in [["shell", "everything", "odd-arm64", "both-riscv"], ["bash", "ls", "odd"]] {
                try program.succeed(["rm"] + names)
            }
            try program.succeed("gc")
            #expect(try program.succeed("fsck").status == 0)
            try program.succeed("reindex")
            try program.succeed("export", "multi", "oci:\(folder.path)/after:x")
            #expect(try raw("oci:\(folder.path)/after:x") == raw("oci:\(folder.path)/before:x"))
            try program.succeed("rm", "multi")
            try program.succeed("gc")
            let blobs = try FileManager.default.subpathsOfDirectory(atPath: program.store + "/blobs/sha256")
            #expect(blobs.filter { $0.utf8.count > 60 } == [])
        }

        @Test("images that lie elsewhere are imported first; an index in an index is its images") func sources() throws
        {
            try program.succeed("export", "odd-arm64", "oci:\(folder.path)/arm:odd-of-arm")
            let made = try program.succeed(
                "index", "create", "-t", "two", "shell", "oci:\(folder.path)/arm:odd-of-arm", "--json")
            #expect(made.text.contains("linux/arm64"))
            try program.succeed("index", "create", "-t", "three", "two", "both-riscv")
            try program.succeed("export", "three", "oci:\(folder.path)/three:x")
            let platforms = try index(raw("oci:\(folder.path)/three:x")).manifests.map(\.platform.architecture)
            #expect(platforms == ["amd64", "arm64", "riscv64"])
            #expect(try program.succeed("ls", "--quiet").lines.contains("three"))
        }

        @Test(
            "what makes no index is refused, with the documented codes",
            arguments: [
                (["shell", "everything"], 4, "shell and everything are all for linux/amd64"),
                (["shell", "bash"], 64, "layerfs compose bash"), (["shell", "nosuch"], 2, "nosuch"),
                (["docker://h.x/a:1"], 64, "pull"), (["oci:/nonexistent/x:1"], 1, "nonexistent"), ([], 64, "<image>"),
            ] as [([String], Int32, String)])
        func refused(sources: [String], status: Int32, message: String) throws {
            let outcome = try program.run(["index", "create", "-t", "multi"] + sources)
            #expect(outcome.status == status && outcome.errors.contains(message), "\(outcome.errors)")
            #expect(try !program.succeed("ls", "--quiet").lines.contains("multi"))
        }

        @Test("a name that stands for something else is not taken") func taken() throws {
            try program.succeed("index", "create", "-t", "multi", "shell", "odd-arm64")
            #expect(
                try program.succeed("index", "create", "-t", "multi", "shell", "odd-arm64").errors.contains("unchanged")
            )
            #expect(try program.run("index", "create", "-t", "multi", "odd-arm64", "shell").status == 4)
            #expect(try program.run("index", "create", "-t", "shell", "odd-arm64", "shell").status == 4)
            try program.succeed("index", "create", "-t", "multi", "odd-arm64", "shell", "--replace")
        }
    }
}
