import TestSupport
import Testing

extension InteropTests {
    @Suite(.needs("setpriv", "unshare", root: true)) struct RunTests {
        /// Who runs the command.
        enum Runner: String, CaseIterable, Sendable {
            case root
            case unprivileged
        }

        let folder: TemporaryDirectory

        init() throws {
            folder = try TemporaryDirectory()
            try Tool.succeed("chmod", ["1777", folder.path])
        }

        /// Whether this machine lets an unprivileged user make namespaces; in CI it must.
        static let hasUserNamespaces: Bool = {
            let probe = User.nobody.wrapper + ["unshare", "--user", "--map-root-user", "true"]
            return isCI || (try? Tool.succeed(probe[0], Array(probe.dropFirst()))) != nil
        }()

        /// A store of the runner's own.
        private func program(_ runner: Runner) throws -> LayerFSProgram {
            var program = LayerFSProgram(store: folder.path + "/store")
            if runner == .unprivileged { program = program.unprivileged }
            try program.succeed("add", "bash", "ls")
            try program.succeed("compose", "bash+ls", "-t", "shell", "--env", "FROM=image", "--workdir", "/usr")
            return program
        }

        @Test(
            "a command sees the root, its output and exit code are passed on",
            .enabled(if: hasUserNamespaces, "no user namespaces"),
            arguments: Runner.allCases)
        func outcome(runner: Runner) throws {
            let program = try program(runner)
            let listed = try program.succeed("run", "shell", "--", "ls", "/")
            #expect(Set(listed.lines).isSuperset(of: ["bin", "lib", "lib64", "usr", "proc", "dev", "tmp"]))
            #expect(listed.errors == "")
            let told = try program.run(
                "run", "shell", "--", "bash", "-c", "echo $FROM $PWD; echo complaint >&2; exit 7")
            #expect((told.status, told.lines, told.errors) == (7, ["image /usr"], "complaint\n"))
            // The image's own command, which reads standard input.
            #expect(try program.run(["run", "shell"], input: Array("echo $((6 * 7)); exit 3".utf8)).lines == ["42"])
        }

        @Test(
            "container exit codes: 126 cannot be executed, 127 there is none, 128 and the signal",
            .enabled(if: hasUserNamespaces, "no user namespaces"), arguments: Runner.allCases)
        func exitCodes(runner: Runner) throws {
            let program = try program(runner)
            let missing = try program.run("run", "shell", "--", "nonesuch")
            #expect(missing.status == 127 && missing.errors.contains("nonesuch"))
            let directory = try program.run("run", "shell", "--", "/usr/bin")
            #expect(directory.status == 126 && directory.errors.contains("/usr/bin"))
            #expect(try program.run("run", "shell", "--", "bash", "-c", "kill -KILL $$").status == 137)
            let unknown = try program.run("run", "nonesuch", "--", "ls")
            #expect(unknown.status == 125 && unknown.errors.contains("nonesuch"))
        }

        @Test(
            "what a command writes, changes and removes is gone afterwards, and no blob has changed",
            .enabled(if: hasUserNamespaces, "no user namespaces"), arguments: Runner.allCases)
        func throwAway(runner: Runner) throws {
            let program = try program(runner)
            // The root is made in the store's staging directory.
            let before = try TreeListing(program.store, directoryTimes: false)
            let vandal = """
                set -e; echo new > /new; echo new > /tmp/new; mapfile -d '' < /usr/bin/ls
                echo more >> /usr/bin/ls; echo less > /usr/lib/*/libtinfo.so.6; test -e /new
                """
            let written = try program.run("run", "shell", "--", "bash", "-c", vandal)
            #expect(written.status == 0, "\(written.errors)")
            try expect(TreeListing(program.store, directoryTimes: false), equals: before)
            #expect(try program.succeed("run", "shell", "--", "ls", "/tmp").output == [])
            let after = try program.succeed("run", "shell", "--", "ls", "/").lines
            #expect(!after.contains("new"))
        }
    }
}
