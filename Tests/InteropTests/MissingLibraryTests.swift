import Foundation
import TestSupport
import Testing

extension InteropTests {
    @Suite(.needs("gcc")) struct MissingLibraryTests {
        let folder: TemporaryDirectory
        let program: LayerFSProgram

        /// `broken` needs liblayer.so, which needs libgone.so, which is gone.
        init() throws {
            folder = try TemporaryDirectory()
            program = LayerFSProgram(store: folder.path + "/store")
            try folder.write("gone.c", Array("int gone(void) { return 1; }".utf8))
            try folder.write("layer.c", Array("int gone(void); int layer(void) { return gone(); }".utf8))
            try folder.write("main.c", Array("int layer(void); int main(void) { return layer(); }".utf8))
            let place = folder.path
            let link = ["-L\(place)", "-Wl,--no-as-needed"]
            let library = ["-shared", "-fPIC"]
            for arguments in [
                library + ["-o", "\(place)/libgone.so", "\(place)/gone.c"],
                library + ["-o", "\(place)/liblayer.so", "\(place)/layer.c"] + link + ["-lgone"],
                ["-o", "\(place)/broken", "\(place)/main.c"] + link
                    + ["-llayer", "-Wl,-rpath,$ORIGIN", "-Wl,-rpath-link,\(place)"],
            ] { try Tool.succeed("gcc", arguments) }
            try FileManager.default.removeItem(atPath: place + "/libgone.so")
        }

        private func check(_ outcome: Tool.Outcome) {
            #expect(outcome.status == 3)
            #expect(outcome.output == [])
            #expect(outcome.errors.contains("libgone.so, needed by \(folder.path)/liblayer.so"))
            // RUNPATH is for the program's own needs only, not for those of its libraries.
            #expect(!outcome.errors.contains("tried \(folder.path)/libgone.so"))
            for place in ["/lib/libgone.so", "/usr/lib/libgone.so"] {
                #expect(outcome.errors.contains("tried \(place) (in system directory"), "\(outcome.errors)")
            }
        }

        @Test("it is named with who needs it and every place tried, and the store stays byte for byte what it was")
        func nothingCommitted() throws {
            try program.succeed("add", "ls")
            let before = try TreeListing(program.store)
            check(try program.run("add", folder.path + "/broken"))
            // Nor is the sound program beside it.
            check(try program.run("add", "bash", folder.path + "/broken"))
            check(try program.run("add", "bash", folder.path + "/broken", "--name", "both"))
            try expect(TreeListing(program.store), equals: before)
        }

        @Test("a store that there was not is not made") func noStore() throws {
            check(try program.run("add", folder.path + "/broken"))
            #expect(!FileManager.default.fileExists(atPath: program.store))
        }

        @Test("a root that lacks it is told of by check, warned of by compose, refused by compose --strict")
        func checking() throws {
            let file = "\(folder.path)/broken:/opt/broken"
            try program.succeed("add", "ls")
            try program.succeed("add", "--name", "broken", "--file", file, "--allow", "/")
            let check = try program.run("check", "ls+broken")
            #expect(check.status == 3)
            #expect(check.lines.first?.hasPrefix("liblayer.so: not found; needed of /opt/broken") == true)
            #expect(check.lines.contains { $0.hasPrefix("  tried ") && $0.contains("/liblayer.so") })
            #expect(check.errors == "layerfs: ls+broken is not complete: 1 thing is lacking\n")
            let report =
                try JSONSerialization.jsonObject(
                    with: Data(try program.run("check", "ls+broken", "--json").output)) as? [String: Any]
            #expect((report?["problems"] as? [[String: Any]])?.first?["name"] as? String == "liblayer.so")
            let before = try TreeListing(program.store)
            #expect(try program.run("compose", "ls+broken", "-t", "strict", "--strict").status == 3)
            try expect(TreeListing(program.store), equals: before)
            let compose = try program.run("compose", "ls+broken", "-t", "lax")
            #expect(compose.status == 0 && compose.errors.hasPrefix("warning: liblayer.so: not found"))
            let sound = try program.run("check", "ls")
            #expect(sound.status == 0 && sound.output == [])
        }

        @Test("resolve says it, too, and lists what it found") func resolving() throws {
            let outcome = try program.run("resolve", folder.path + "/broken", "--list")
            #expect(outcome.status == 3)
            #expect(outcome.lines.contains(folder.path + "/liblayer.so"))
            #expect(outcome.errors.contains("libgone.so, needed by \(folder.path)/liblayer.so"))
        }
    }
}
