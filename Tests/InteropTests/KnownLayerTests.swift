import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// What a pull leaves out because the store has it, and what it does not believe.
    @Suite struct KnownLayerTests {
        let folder: TemporaryDirectory
        let registry: MemoryRegistry
        let store: SharedStore

        init() throws {
            folder = try TemporaryDirectory()
            registry = try MemoryRegistry()
            store = try SharedStore.get()
        }

        static let insecure = "--tls-verify=false"

        private var place: String { "docker://\(registry.host)/team/image:1" }

        /// A store of the test's own.
        private func program(_ name: String) -> LayerFSProgram { LayerFSProgram(store: folder.path + "/" + name) }

        private func push(_ root: String, _ options: String...) throws {
            try store.program.succeed(["push", root, place, Self.insecure] + options)
            _ = registry.takeRequests()
        }

        private struct Pulled: Decodable {
            struct Fetched: Decodable {
                var blobs: [String: Int]
                var transferred: Int
                var known: Int
            }
            var name: String
            var manifest: String
            var diffIDs: [String]
            var fetched: Fetched
        }

        /// - Returns: the report, and how many blobs were asked for.
        private func pull(_ program: LayerFSProgram, as name: String, _ options: String...) throws -> (Pulled, Int) {
            let output = try program.succeed(["pull", place, "-t", name, Self.insecure, "--json"] + options).output
            let asked = registry.takeRequests().count { $0.hasPrefix("GET blobs/") }
            return (try #require(try JSONDecoder().decode([Pulled].self, from: Data(output)).first), asked)
        }

        /// Everything that the store's record of an image says, but for the time and the name.
        private func record(_ program: LayerFSProgram, _ name: String) throws -> [String: String] {
            let digest = try folder.read("\(program.store.split(separator: "/").last!)/refs/images/\(name)")
            let hexadecimal = String(decoding: digest, as: UTF8.self).trimmingCharacters(in: .newlines).dropFirst(7)
            let path = program.store + "/blobs/sha256/\(hexadecimal.prefix(2))/\(hexadecimal.dropFirst(2))"
            let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
            let members = try #require(json as? [String: Any])
            let layers = try #require(members["layers"] as? [[String: Any]])
            return [
                "blobs": layers.map { "\(($0["blob"] as? [String: Any])?.sorted { $0.key < $1.key } ?? [])" }.joined(),
                "original": "\((members["original"] as? [String: Any])?.sorted { $0.key < $1.key } ?? [])",
                "entries": "\(members["entries"] ?? "")", "size": "\(members["size"] ?? "")",
            ]
        }

        @Test("of an image that the store has, only the configuration is fetched; what comes of it is the same")
        func wholeImage() throws {
            try push("everything")
            let mine = program("mine")
            let (first, blobs) = try pull(mine, as: "first")
            #expect(blobs == first.diffIDs.count + 1 && first.fetched.known == 0)
            let (second, again) = try pull(mine, as: "second")
            #expect(again == 1, "only the configuration")
            #expect(second.fetched.blobs == ["downloaded": 1, "known": second.diffIDs.count])
            #expect(second.fetched.known > 0 && second.manifest == first.manifest)
            #expect(try record(mine, "first") == record(mine, "second"))
            #expect(try mine.run("diff", "first", "second").status == 0)
            let (one, two) = (folder.path + "/one", folder.path + "/two")
            try mine.succeed("export", "first", "--oci", one, "--name", "x")
            try mine.succeed("export", "second", "--oci", two, "--name", "x")
            #expect(try folder.contents("one") == folder.contents("two"))
            #expect(try mine.succeed("fsck").status == 0)
            // It says so.
            let said = try mine.run("pull", place, "-t", "second", Self.insecure)
            #expect(said.status == 0 && said.errors.contains("known and not fetched"), "\(said.errors)")
        }

        @Test("layers that were never compressed here are known by their tar, and found to be layerfs's own")
        func ownLayers() throws {
            let mine = program("mine")
            try mine.succeed("add", "bash")
            // One layer alone is the same tar in an image as in the store.
            try push("bash")
            let (pulled, asked) = try pull(mine, as: "pulled")
            #expect(asked == 1 && pulled.fetched.blobs["known"] == 1)
            // The same tar in other bytes is another blob.
            try push("bash", "--compression-level", "9")
            let (other, askedOther) = try pull(mine, as: "other")
            #expect(askedOther == 2 && other.fetched.blobs["known"] == nil)
            #expect(try mine.run("diff", "pulled", "other").status == 0)
        }

        @Test("one layer more is one blob more") func oneLayerMore() throws {
            let mine = program("mine")
            try push("shell")
            _ = try pull(mine, as: "shell")
            try push("everything")
            let (pulled, asked) = try pull(mine, as: "everything")
            #expect(asked == 2 && pulled.fetched.blobs == ["downloaded": 2, "known": pulled.diffIDs.count - 1])
        }

        @Test("a store that was tampered with is not believed, and healed by what is fetched") func tampering() throws {
            try push("everything")
            let mine = program("mine")
            _ = try pull(mine, as: "first")
            // The biggest content: a library or a program.
            let blobs = mine.store + "/blobs/sha256"
            let biggest = try #require(
                try FileManager.default.subpathsOfDirectory(atPath: blobs).map { blobs + "/" + $0 }
                    .max { try size($0) < size($1) })
            var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: biggest)))
            bytes[bytes.count / 2] ^= 1
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: biggest))
            try file.write(contentsOf: Data(bytes))
            try file.close()
            let (pulled, asked) = try pull(mine, as: "second")
            #expect(asked > 1 && pulled.fetched.blobs["downloaded", default: 0] > 1)
            #expect(try mine.succeed("fsck").status == 0)
        }

        private func size(_ path: String) throws -> Int {
            try (FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        }
    }
}
