import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// What a push neither compresses nor sends because the registry has it, and what it does not take on trust.
    @Suite struct KnownBlobTests {
        let folder: TemporaryDirectory
        let registry: MemoryRegistry
        /// A store of the test's own, with the layers and images of the shared one.
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            registry = try MemoryRegistry()
            let shared = try SharedStore.get()
            program = LayerFSProgram(store: folder.path + "/store")
            try Tool.succeed("cp", ["-a", shared.program.store, program.store])
            // Nothing of what other tests exported.
            try clearCache()
        }

        private func clearCache(_ directory: String = "") throws {
            try Tool.succeed("find", [program.store + "/cache/" + directory, "-type", "f", "-delete"])
        }

        static let insecure = "--tls-verify=false"

        private func place(_ name: String = "team/image:1") -> String { "docker://\(registry.host)/\(name)" }

        private struct Pushed: Decodable {
            struct Document: Decodable { var digest: String }
            var manifest: Document
            var blobs: [String: Int]
            var transferred: Int
            var packed: Int?
        }

        private func push(
            _ root: String, _ options: String..., to name: String = "team/image:1"
        ) throws -> (pushed: Pushed, requests: [String]) {
            let output = try program.succeed(
                ["push", root, place(name), Self.insecure, "--json"] + options
            ).output
            return (try JSONDecoder().decode(Pushed.self, from: Data(output)), registry.takeRequests())
        }

        private func writes(_ requests: [String]) -> [String] {
            requests.filter { !$0.hasPrefix("GET ") && !$0.hasPrefix("HEAD ") }
        }

        @Test("the second push of an image reads no content, compresses nothing and sends nothing") func again() throws
        {
            let first = try push("everything")
            #expect(first.pushed.packed! > 0 && first.pushed.blobs["uploaded"]! > 1)
            let second = try push("everything")
            #expect(second.pushed.packed == 0 && second.pushed.transferred == 0)
            #expect(second.pushed.blobs == ["present": first.pushed.blobs["uploaded"]!])
            #expect(writes(second.requests) == [], "\(second.requests)")
            #expect(!second.requests.contains { $0.hasPrefix("GET blobs/") })
            #expect(second.pushed.manifest.digest == first.pushed.manifest.digest)
            let said = try program.run("push", "everything", place(), Self.insecure)
            #expect(said.status == 0 && said.errors.contains("nothing compressed"), "\(said.errors)")
        }

        @Test("under another tag only the manifest is sent; it is the one that an export has") func anotherTag() throws
        {
            let first = try push("everything")
            let second = try push("everything", to: "team/image:2")
            #expect(second.pushed.packed == 0 && writes(second.requests) == ["PUT manifests/2"])
            #expect(second.pushed.manifest.digest == first.pushed.manifest.digest)
            // All of it is there.
            var other = program
            other.store = folder.path + "/other"
            try other.succeed("pull", place("team/image:2"), "-t", "pulled", Self.insecure)
            let layout = folder.path + "/layout"
            try program.succeed("export", "everything", "--oci", layout, "--name", "x")
            #expect(try other.run("diff", "pulled", "oci:\(layout)").status == 0)
        }

        @Test("what a registry lacks is made: another one, another compression, one layer more") func missing() throws {
            let first = try push("shell")
            let other = try push("shell", "--compression", "zstd", to: "team/zstd:1")
            #expect(other.pushed.packed == first.pushed.packed && other.pushed.transferred > 0)
            let more = try push("everything")
            #expect(more.pushed.packed! > 0 && more.pushed.packed! < first.pushed.packed!)
            #expect(more.pushed.blobs == ["present": first.pushed.blobs["uploaded"]! - 1, "uploaded": 2])
            let elsewhere = try MemoryRegistry()
            let output = try program.succeed(
                ["push", "shell", "docker://\(elsewhere.host)/a:1", Self.insecure, "--json"]
            ).output
            let pushed = try JSONDecoder().decode(Pushed.self, from: Data(output))
            #expect(pushed.packed == first.pushed.packed && pushed.blobs == first.pushed.blobs)
        }

        @Test("what an export made is known to a push, and what a pull brought") func otherWays() throws {
            _ = try push("everything")
            // The cache is lost; that of an export takes its place.
            try clearCache()
            try program.succeed("export", "everything", "--oci", folder.path + "/layout")
            #expect(try push("everything").pushed.packed == 0)
            var other = program
            other.store = folder.path + "/other"
            try other.succeed("pull", place(), "-t", "pulled", Self.insecure)
            _ = registry.takeRequests()
            try other.succeed("push", "pulled", place(), Self.insecure)
            #expect(writes(registry.takeRequests()) == [])
        }

        /// What can be wrong with a record.
        enum Damage: CaseIterable { case changed, truncated, emptied, ofAnother }

        @Test("a record that is not as it was written is not believed", arguments: Damage.allCases)
        func damagedNotes(_ damage: Damage) throws {
            let first = try push("everything")
            // What the whole image is, is noted elsewhere.
            try clearCache("images")
            let cache = program.store + "/cache/layers/"
            let notes = try FileManager.default.contentsOfDirectory(atPath: cache).filter { $0.hasSuffix(".record") }
                .sorted()
            #expect(notes.count > 1)
            let texts = try notes.map { try [UInt8](Data(contentsOf: URL(fileURLWithPath: cache + $0))) }
            for (index, name) in notes.enumerated() {
                var bytes = texts[index]
                switch damage {
                case .changed:
                    // A bit of the blob's digest, behind the title.
                    bytes[20] ^= 1
                case .truncated: bytes.removeLast(3)
                case .emptied: bytes = []
                case .ofAnother: bytes = texts[(index + 1) % texts.count]
                }
                try Data(bytes).write(to: URL(fileURLWithPath: cache + name))
            }
            let second = try push("everything")
            #expect(second.pushed.packed == first.pushed.packed)
            #expect(second.pushed.manifest.digest == first.pushed.manifest.digest && second.pushed.transferred == 0)
        }

        @Test("a content that was changed is noticed by a push that composes, though nothing would have been read")
        func tampering() throws {
            _ = try push("everything")
            try FileManager.default.removeItem(atPath: program.store + "/cache/images")
            let blobs = program.store + "/blobs/sha256"
            for path in try FileManager.default.subpathsOfDirectory(atPath: blobs) where path.utf8.count > 60 {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: blobs + "/" + path))
                // An ELF file: content of a layer, no document of the store.
                guard bytes.prefix(4) == Data([0x7f, 0x45, 0x4c, 0x46]) else { continue }
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: blobs + "/" + path))
                try file.write(contentsOf: Data([0x7f, 0x45, 0x4c, 0x47]))
                try file.close()
                break
            }
            #expect(try program.run("push", "everything", place(), Self.insecure).status == 5)
        }

        @Test("cached layers go with the layers that they are of") func collecting() throws {
            _ = try push("everything")
            let cache = program.store + "/cache/layers"
            let images = program.store + "/cache/images"
            try program.succeed("gc")
            #expect(try !FileManager.default.contentsOfDirectory(atPath: cache).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: images).count == 1)
            try program.succeed("rm", "everything", "shell", "bash", "ls", "odd")
            try program.succeed("gc")
            #expect(try FileManager.default.contentsOfDirectory(atPath: cache).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: images).isEmpty)
        }
    }
}
