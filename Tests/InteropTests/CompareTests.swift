import Foundation
import TestSupport
import Testing

extension InteropTests {
    /// `diff` between all the places in which a root can be.
    @Suite(.needs("skopeo", "tar", root: true)) struct CompareTests {
        let store: SharedStore
        let folder: TemporaryDirectory

        init() throws {
            store = try SharedStore.get()
            folder = try TemporaryDirectory()
        }

        @Test("a root is equal to itself wherever it went, and so are two of these places") func equal() throws {
            let path = folder.path
            let program = store.program
            try program.succeed("export", "everything", "oci:\(path)/layout:1.0")
            try program.succeed("export", "everything", "oci-archive:\(path)/a.tar:1.0", "--compression", "zstd")
            try program.succeed("export", "everything", "docker-archive:\(path)/d.tar:every:1")
            try program.succeed("export", "everything", "--tar", "\(path)/flat.tar", "--compression", "gzip")
            try program.succeed("materialize", "everything", "\(path)/root", "--link", "copy", "--exact")
            // An archive that is nothing but Docker's.
            try Tool.succeed(
                "skopeo",
                ["--insecure-policy", "copy", "oci:\(path)/layout:1.0", "docker-archive:\(path)/foreign.tar:every:2"])
            let places = [
                "everything", "bash+ls+odd", "oci:\(path)/layout:1.0", "oci:\(path)/layout",
                "oci-archive:\(path)/a.tar",
                "docker-archive:\(path)/d.tar:every:1", "docker-archive:\(path)/foreign.tar", path + "/foreign.tar",
                path + "/flat.tar", path + "/a.tar", path + "/root",
            ]
            for place in places {
                let outcome = try program.run("diff", "everything", place)
                #expect(
                    outcome.status == 0 && outcome.text == "", "\(place): \(outcome.text.prefix(400)) \(outcome.errors)"
                )
            }
            #expect(try program.run("diff", places[2], path + "/root").status == 0)
            #expect(try program.run("diff", path + "/root", path + "/root", "--json").text.contains("\"equal\" : true"))
        }

        @Test("each kind of change is named") func changes() throws {
            let root = folder.path + "/root"
            try store.program.succeed("materialize", "everything", root, "--link", "copy", "--exact")
            try Tool.succeed("cp", ["--archive", root, folder.path + "/old"])
            let script = """
                cd "$1"; echo new > new; ln -s a link; rm -r usr/bin/ls; chmod 4755 usr/bin/bash; echo >> usr/bin/bash
                touch --date @5 usr/bin; chown 7:8 usr; mkfifo pipe; cp --archive usr/lib/os-release . 2>/dev/null || true
                python3 -c "import os; os.setxattr('usr/bin/bash', 'user.a', b'b')"
                """
            try Tool.succeed("sh", ["-c", script, "sh", root])
            try Tool.succeed("touch", ["--no-dereference", "--date", "@9", root + "/usr"])
            let outcome = try store.program.run("diff", folder.path + "/old", root)
            #expect(outcome.status == 1)
            let lines = outcome.lines
            #expect(lines.contains("+ /new") && lines.contains("+ /link") && lines.contains("+ /pipe"))
            #expect(lines.contains("- /usr/bin/ls"))
            let bash = try #require(lines.first { $0.hasPrefix("~ /usr/bin/bash ") })
            for part in ["content ", "mode 0755 -> 04755", "time ", "xattrs none -> user.a=b"] {
                #expect(bash.contains(part), "\(bash)")
            }
            #expect(lines.contains { $0.hasPrefix("~ /usr  owner 0:0 -> 7:8, time ") })
            #expect(lines.contains { $0.hasPrefix("~ /usr/bin  time ") && $0.hasSuffix(" -> 1970-01-01T00:00:05Z") })
            let ignoring = try store.program.run("diff", folder.path + "/old", root, "--ignore", "time").lines
            #expect(!ignoring.contains { $0.hasPrefix("~ /usr/bin ") })

            let report = try JSONDecoder().decode(
                Report.self, from: Data(store.program.run("diff", folder.path + "/old", root, "--json").output))
            #expect(!report.equal)
            #expect(report.removed.map(\.path) == ["/usr/bin/ls"])
            #expect(report.added.contains { $0.path == "/link" && $0.type == "symlink" && $0.target == "a" })
            #expect(report.changed.first { $0.path == "/usr" }?.aspects == ["owner", "time"])
            // The other way round.
            let back = try store.program.run("diff", root, folder.path + "/old").lines
            #expect(back.contains("- /new") && back.contains("+ /usr/bin/ls"))
        }

        private struct Report: Decodable {
            struct Side: Decodable {
                var path: String
                var type: String
                var target: String?
            }
            struct Change: Decodable {
                var path: String
                var aspects: [String]
            }
            var equal: Bool
            var added: [Side]
            var removed: [Side]
            var changed: [Change]
        }

        @Test("a name of the store comes before a file that is called the same; any other path is one") func names()
            throws
        {
            let path = folder.path
            try store.program.succeed("materialize", "shell", path + "/root", "--exact")
            try store.program.succeed("export", "shell", "--tar", path + "/shell")
            try Tool.succeed("mkdir", [path + "/bash"])
            func run(_ old: String, _ new: String, _ program: LayerFSProgram) throws -> Tool.Outcome {
                var moved = program
                moved.wrapper = ["sh", "-c", "cd '\(path)' && exec \"$@\"", "sh"]
                return try moved.run("diff", old, new)
            }
            let cases: [(String, String, Int32)] = [
                ("shell", "root", 0), ("root", path + "/root", 0), ("root/usr", "root/usr/", 0), ("bash", "./bash", 1),
                ("shell", "./shell", 0), ("bash+ls", "root", 0), ("bash", "none", 2), ("root", "none+bash", 2),
            ]
            for (old, new, status) in cases {
                let outcome = try run(old, new, store.program)
                #expect(outcome.status == status, "\(old) \(new): \(outcome)")
            }
            // Without a store all are paths.
            let nowhere = LayerFSProgram(store: path + "/nowhere")
            #expect(try run("shell", "root", nowhere).status == 0)
            #expect(try run("bash+ls", "root", nowhere).status == 2)
        }

        @Test("trouble is no difference: the exit code is at least 2") func trouble() throws {
            let path = folder.path
            try store.program.succeed("export", "shell", "oci:\(path)/layout:1")
            try store.program.succeed("export", "bash", "oci:\(path)/layout:2")
            let cases: [([String], Int32)] = [
                (["nothing", "shell"], 2), (["shell", path + "/absent"], 2), (["shell", "oci:\(path)/absent"], 2),
                (["shell", "oci:\(path)/layout:3"], 2), (["shell", "oci:\(path)/layout"], 64), (["a+", "shell"], 64),
                (["shell", "docker://example.org/x"], 2), (["shell", "oci:"], 64), (["shell"], 64),
            ]
            for (arguments, status) in cases {
                let outcome = try store.program.run(["diff"] + arguments)
                #expect(outcome.status == status && !outcome.errors.isEmpty, "\(arguments): \(outcome)")
            }
            let ambiguous = try store.program.run("diff", "shell", "oci:\(path)/layout").errors
            #expect(ambiguous.contains("1, 2"))
        }
    }
}
