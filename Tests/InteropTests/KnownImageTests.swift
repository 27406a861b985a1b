import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// What a push and a pull say without composing anything, and what they do not take for granted.
    @Suite struct KnownImageTests {
        let folder: TemporaryDirectory
        let registry: MemoryRegistry
        /// A store of the test's own, with the layers and images of the shared one.
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            registry = try MemoryRegistry()
            program = LayerFSProgram(store: folder.path + "/store")
            try Tool.succeed("cp", ["-a", SharedStore.get().program.store, program.store])
            try Tool.succeed("find", [program.store + "/cache", "-type", "f", "-delete"])
        }

        static let insecure = "--tls-verify=false"

        private var place: String { "docker://\(registry.host)/team/image:1" }
        private var notes: String { program.store + "/cache/images" }

        private func push(_ root: String = "everything", _ options: String...) throws -> (said: String, sent: [String])
        {
            let outcome = try program.succeed(["push", root, place, Self.insecure] + options)
            let said = options.contains("--json") ? outcome.text : outcome.errors
            return (said, registry.takeRequests().filter { !$0.hasPrefix("GET ") && !$0.hasPrefix("HEAD ") })
        }

        private func pull(_ name: String = "pulled", _ options: String...) throws -> (said: String, asked: [String]) {
            let said = try program.succeed(["pull", place, "-t", name, Self.insecure] + options).errors
            return (said, registry.takeRequests().filter { $0.hasPrefix("GET blobs/") })
        }

        @Test(
            "a push of what is noted says what one that composes says", arguments: ["everything", "bash", "bash+odd"])
        func sameWords(_ root: String) throws {
            _ = try push(root)
            let (known, sent) = try push(root)
            let report = try push(root, "--json").said
            #expect(sent == [] && known.contains("nothing compressed"))
            try Tool.succeed("find", [notes, "-type", "f", "-delete"])
            #expect(try push(root).said == known)
            try Tool.succeed("find", [notes, "-type", "f", "-delete"])
            #expect(try push(root, "--json").said == report)
        }

        /// The program with the network asks for the version first; with it there is more to be said, not else.
        @Test("what is noted is asked for once, by layerfs itself where it can, and nothing is written")
        func requests() throws {
            _ = try push()
            let blobs = registry.blobs.map { "HEAD blobs/\($0)" }
            func ask(_ words: String...) throws -> (said: String, asked: [String]) {
                let said = try program.succeed(words + [Self.insecure]).errors
                return (said, registry.takeRequests().sorted())
            }
            let known = try ask("push", "everything", place)
            #expect(known.asked == ["GET manifests/1"] + blobs)
            let other = try ask("push", "everything", place, "--attempts", "4")
            #expect(other.asked == ["GET manifests/1", "GET v2"] + blobs && other.said == known.said)
            for _ in 0..<2 { _ = try pull() }
            let here = try ask("pull", place, "-t", "pulled")
            #expect(here.asked == ["GET manifests/1"] && here.said.contains("unchanged pulled"))
            let there = try ask("pull", place, "-t", "pulled", "--attempts", "4")
            #expect(there.asked == ["GET manifests/1", "GET v2"] && there.said == here.said)
        }

        @Test("a root that stands for something else now is pushed") func changed() throws {
            _ = try push()
            try program.succeed("compose", "bash+odd", "-t", "everything", "--replace")
            let (said, sent) = try push()
            #expect(sent.last == "PUT manifests/1" && said.contains("uploaded"), "\(said)")
            #expect(try push().sent == [])
            // The same layers with other settings, and the same name with other options.
            try program.succeed("compose", "bash+odd", "-t", "everything", "--replace", "--env", "A=1")
            #expect(try push().sent.last == "PUT manifests/1")
            #expect(try push("everything", "--compression", "zstd").sent.last == "PUT manifests/1")
            #expect(try push("everything", "--layers", "flat").sent.last == "PUT manifests/1")
            #expect(try push().sent == ["PUT manifests/1"])
        }

        @Test("times that end elsewhere make another image") func anotherEpoch() throws {
            _ = try push()
            var other = program
            other.environment["SOURCE_DATE_EPOCH"] = "1000000"
            try other.succeed("push", "everything", place, Self.insecure)
            #expect(registry.takeRequests().contains("PUT manifests/1"))
        }

        @Test("a registry that lost something gets it again") func lost() throws {
            _ = try push()
            registry.lose(manifest: "1")
            #expect(try push().sent == ["PUT manifests/1"])
            for blob in registry.blobs {
                registry.lose(blob: blob)
                let (said, sent) = try push()
                #expect(said.contains("1 blobs uploaded") && sent.last == "PUT manifests/1", "\(said)")
                #expect(registry.blobs.contains(blob))
            }
            #expect(try push().sent == [])
        }

        @Test("a tag that somebody moved is moved back") func moved() throws {
            _ = try push()
            var other = program
            other.store = folder.path + "/other"
            try other.succeed("add", "true")
            try other.succeed("push", "true", place, Self.insecure)
            _ = registry.takeRequests()
            let (said, sent) = try push()
            #expect(sent == ["PUT manifests/1"] && said.contains("there already"))
        }

        /// The document of the store that a reference names.
        private func record(_ name: String) throws -> String {
            let digest = try String(contentsOfFile: program.store + "/refs/images/\(name)", encoding: .utf8)
            let digits = digest.dropFirst(7).prefix(64)
            return program.store + "/blobs/sha256/\(digits.prefix(2))/\(digits.dropFirst(2))"
        }

        private func overwrite(_ path: String, _ bytes: String) throws {
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.write(contentsOf: Data(bytes.utf8))
            try file.close()
        }

        private func elfs() throws -> [String] {
            let blobs = program.store + "/blobs/sha256"
            return try FileManager.default.subpathsOfDirectory(atPath: blobs).map { blobs + "/" + $0 }.filter {
                let file = FileHandle(forReadingAtPath: $0)
                defer { try? file?.close() }
                return $0.utf8.count > 60 && (try? file?.read(upToCount: 4)) == Data([0x7f, 0x45, 0x4c, 0x46])
            }
        }

        /// What happens to a store behind layerfs's back.
        enum Harm: CaseIterable { case content, mode, gone, tree, record }

        @Test(
            "nothing of a store is looked at whose image the registry has whole; what leaves it is",
            arguments: Harm.allCases)
        func harmed(_ harm: Harm) throws {
            _ = try push()
            let content = try #require(try elfs().first)
            switch harm {
            case .content: try overwrite(content, "\u{7f}ELG")
            case .mode: try Tool.succeed("chmod", ["0700", content])
            case .gone: try FileManager.default.removeItem(atPath: content)
            case .tree:
                let blobs = program.store + "/blobs/sha256"
                for name in try FileManager.default.subpathsOfDirectory(atPath: blobs) where name.utf8.count > 60 {
                    let bytes = try Data(contentsOf: URL(fileURLWithPath: blobs + "/" + name))
                    // Parts of trees are frames of zstd.
                    if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { try overwrite(blobs + "/" + name, "//") }
                }
            case .record: try overwrite(record("everything"), "[")
            }
            let (said, sent) = try push()
            #expect(sent == [] && said.contains("nothing compressed"), "\(said)")
            for blob in registry.blobs { registry.lose(blob: blob) }
            let outcome = try program.run("push", "everything", place, Self.insecure)
            // The mode of an inode is in no image: all is read, and found good.
            #expect(outcome.status == (harm == .mode ? 0 : 5), "\(outcome.errors)")
            #expect(harm == .mode || !registry.takeRequests().contains("PUT manifests/1"))
        }

        /// What can be wrong with a note.
        enum Damage: CaseIterable { case changed, truncated, emptied, ofAnother }

        @Test("a note that is not as it was written is not believed", arguments: Damage.allCases)
        func damagedNotes(_ damage: Damage) throws {
            _ = try push("bash")
            _ = try push()
            let names = try FileManager.default.contentsOfDirectory(atPath: notes).sorted().map { notes + "/" + $0 }
            #expect(names.count == 2)
            let texts = try names.map { try [UInt8](Data(contentsOf: URL(fileURLWithPath: $0))) }
            for (index, name) in names.enumerated() {
                var bytes = texts[index]
                switch damage {
                case .changed: bytes[bytes.count / 2] ^= 1
                case .truncated: bytes.removeLast(3)
                case .emptied: bytes = []
                case .ofAnother: bytes = texts[1 - index]
                }
                try Data(bytes).write(to: URL(fileURLWithPath: name))
            }
            // What is another root's is no manifest that the tag stands for: at worst all is looked at again.
            let (said, sent) = try push()
            #expect(sent == [] && said.contains("there already"), "\(said)")
            #expect(try push().sent == [])
        }

        @Test("a pull of what stands under the name already fetches no blob, and says so") func pulling() throws {
            _ = try push()
            _ = try pull()
            let (first, asked) = try pull()
            #expect(asked == [] && first.contains("known and not fetched") && first.contains("unchanged pulled"))
            // Noted by now.
            #expect(try pull("pulled", "--replace").said == first)
            let layers = try program.succeed("pull", place, "-t", "pulled", Self.insecure, "--json").text
            #expect(layers.contains("\"unchanged\""))
        }

        @Test("a pull notices what the tag and the name stand for now") func pullingAnother() throws {
            _ = try push()
            _ = try pull()
            // Another image under the tag.
            _ = try push("shell")
            let refused = try program.run("pull", place, "-t", "pulled", Self.insecure)
            #expect(refused.status == 4, "\(refused.errors)")
            _ = registry.takeRequests()
            #expect(try pull("pulled", "--replace").said.contains("replaced pulled"))
            #expect(try pull().said.contains("unchanged pulled"))
            // Another image under the name.
            try program.succeed("compose", "bash", "-t", "pulled", "--replace")
            #expect(try pull("pulled", "--replace").said.contains("replaced pulled"))
            // No image under the name.
            try program.succeed("rm", "pulled")
            #expect(try pull().said.contains("imported pulled"))
            // For another machine.
            let other = try program.run("pull", place, "-t", "pulled", Self.insecure, "--platform", "linux/s390x")
            #expect(other.status != 0, "\(other.errors)")
        }

        @Test("a pull heals what is damaged, also when it was noted as sound") func healing() throws {
            _ = try push()
            var mine = program
            mine.store = folder.path + "/mine"
            for _ in 0..<3 { try mine.succeed("pull", place, "-t", "pulled", Self.insecure) }
            let blobs = mine.store + "/blobs/sha256"
            for name in try FileManager.default.subpathsOfDirectory(atPath: blobs) where name.utf8.count > 60 {
                let path = blobs + "/" + name
                if try Data(contentsOf: URL(fileURLWithPath: path)).starts(with: [0x7f, 0x45]) {
                    try overwrite(path, "\u{7f}ELG")
                }
            }
            let healed = try mine.succeed("pull", place, "-t", "pulled", Self.insecure)
            #expect(healed.errors.contains("downloaded"), "\(healed.errors)")
            #expect(try mine.succeed("fsck").status == 0)
            #expect(try mine.succeed("pull", place, "-t", "pulled", Self.insecure).errors.contains("unchanged"))
        }

        @Test("with a real registry", .needs("docker-registry")) func realRegistry() async throws {
            try await RegistryServer.whileRunning(.plain) { server in
                let place = "docker://\(server.host)/team/image:1"
                func push() throws -> String { try program.succeed("push", "everything", place, Self.insecure).errors }
                let first = try push()
                #expect(first.contains("uploaded"))
                #expect(try push().contains("nothing compressed"))
                try program.succeed("pull", place, "-t", "pulled", Self.insecure)
                for _ in 0..<2 {
                    let again = try program.succeed("pull", place, "-t", "pulled", Self.insecure).errors
                    #expect(again.contains("unchanged") && !again.contains("downloaded"), "\(again)")
                }
                // It loses the biggest blob.
                let files = try FileManager.default.subpathsOfDirectory(atPath: server.data)
                    .filter { $0.contains("/blobs/sha256/") && $0.hasSuffix("/data") }.map { server.data + "/" + $0 }
                let biggest = try #require(try files.max { try size($0) < size($1) })
                try FileManager.default.removeItem(atPath: biggest)
                #expect(try push().contains("1 blobs uploaded"))
                #expect(FileManager.default.fileExists(atPath: biggest))
                // It loses the tag.
                let tags = server.data + "/docker/registry/v2/repositories/team/image/_manifests/tags"
                try FileManager.default.removeItem(atPath: tags + "/1")
                #expect(try push().contains("there already"))
                #expect(FileManager.default.fileExists(atPath: tags + "/1"))
                #expect(try push().contains("nothing compressed"))
            }
        }

        private func size(_ path: String) throws -> Int {
            try (FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        }
    }
}
