import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// Stores that cannot be worked on as usual.
    @Suite struct StoreTroubleTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
        }

        @Test(
            "a store of a newer format is refused, and left as it is",
            arguments: [
                ("\"formatVersion\" : 1", "\"formatVersion\" : 2"),
                ("\"incompatible\" : [", "\"incompatible\" : [ \"holograms\","),
            ])
        func newerFormat(from: String, to: String) throws {
            try program.succeed("add", "ls")
            let path = program.store + "/layerfs.json"
            let format = try String(contentsOfFile: path, encoding: .utf8)
            try #require(format.contains(from))
            try Data(format.replacingOccurrences(of: from, with: to).utf8).write(to: URL(fileURLWithPath: path))
            let before = try TreeListing(program.store)
            let materialize = ["materialize", "ls", folder.path + "/root"]
            for arguments in [["add", "bash"], ["ls"], ["show", "ls"], ["du"], materialize, ["rm", "ls"]] {
                let outcome = try program.run(arguments)
                #expect(outcome.status == 1 && outcome.output == [], "\(arguments)")
                for text in [program.store, "Use a newer layerfs"] {
                    #expect(outcome.errors.contains(text), "\(outcome.errors)")
                }
            }
            try expect(TreeListing(folder.path + "/store"), equals: before)
        }

        @Test(
            "a store that cannot be written is read, materialized by copy and exported; add says why it cannot",
            .needs("mount", root: true))
        func readOnly() throws {
            try program.succeed("add", "bash", "ls")
            try program.succeed("compose", "bash+ls", "-t", "shell")
            let tar = try program.succeed("export", "shell", "--tar", "-").output
            try MountedFileSystem.withReadOnly(program.store) { mounted in
                var program = self.program
                program.store = mounted.path
                #expect(try program.succeed("ls", "--quiet").lines.sorted() == ["bash", "ls", "shell"])
                #expect(try program.succeed("show", "shell").text.contains("/usr/bin/ls"))
                #expect(try program.succeed("du").text.contains("shell"))
                let isSame = try program.succeed("export", "shell", "--tar", "-").output == tar
                #expect(isSame)
                let made = try program.succeed("materialize", "shell", folder.path + "/root")
                #expect(made.errors.contains("copied instead of shared"))
                #expect(try TreeListing(folder.path + "/root").entries.keys.contains("usr/bin/ls"))
                for arguments in [["add", "cat"], ["compose", "bash", "-t", "new"], ["rm", "shell"]] {
                    let outcome = try program.run(arguments)
                    #expect(outcome.status == 1 && outcome.output == [], "\(arguments)")
                    for text in [mounted.path, "Read-only file system"] {
                        #expect(outcome.errors.contains(text), "\(outcome.errors)")
                    }
                }
            }
        }

        @Test(
            "on a full disk add says so, names nothing, gives the space back, and the store stays usable",
            .needs("mount", root: true))
        func fullDisk() throws {
            let probe = try program.succeed("add", "ls", "--json").output
            let bytes = try #require(
                (JSONSerialization.jsonObject(with: Data(probe)) as? [[String: Any]])?.first?["bytes"] as? Int)
            // ls fits, bash beside it does not.
            try MountedFileSystem.withMemory(options: "size=\(bytes + 768 * 1024)") { mounted in
                let program = LayerFSProgram(store: mounted.path + "/store")
                try program.succeed("add", "ls")
                let before = try TreeListing(program.store, directoryTimes: false)
                let outcome = try program.run("add", "bash")
                #expect(outcome.status == 1 && outcome.output == [])
                #expect(outcome.errors.contains("No space left on device"), "\(outcome.errors)")
                #expect(try program.succeed("ls", "--quiet").lines == ["ls"])
                try expect(TreeListing(program.store, directoryTimes: false), equals: before)
                try program.succeed("materialize", "ls", folder.path + "/root", "--link", "copy")
                #expect(try program.succeed("add", "ls").errors.contains("unchanged ls"))
            }
        }

        @Test(
            "a full target leaves no half root", .needs("mount", root: true),
            arguments: [["--oci"], ["--oci-archive"], ["--tar"], []])
        func fullTarget(option: [String]) throws {
            let shared = try SharedStore.get()
            try MountedFileSystem.withMemory(options: "size=256k") { mounted in
                let target = mounted.path + "/target"
                let arguments =
                    option.isEmpty ? ["materialize", "shell", target] : ["export", "shell"] + option + [target]
                let outcome = try shared.program.run(arguments)
                #expect(outcome.status == 1 && outcome.output == [])
                #expect(outcome.errors.contains("No space left on device"), "\(outcome.errors)")
                #expect(try TreeListing(mounted.path).entries == [:])
            }
        }
    }
}
