import TestSupport
import Testing

extension InteropTests {
    /// Exports to standard output, as shells use it.
    @Suite struct StandardOutputTests {
        let program: LayerFSProgram

        init() throws { program = try SharedStore.get().program }

        /// Runs a shell script in which `pack …` is `layerfs export …`.
        private func shell(_ script: String) throws -> Tool.Outcome {
            var shell = program
            shell.wrapper = ["sh", "-c", "layerfs=$0; pack() { \"$layerfs\" export \"$@\"; }; \(script)"]
            return try shell.run()
        }

        static let targets = ["--tar", "--oci-archive", "--docker"]

        @Test("an archive follows what was written before it, and is followed by what comes after", arguments: targets)
        func position(target: String) throws {
            let archive = try program.succeed("export", "shell", target, "-").output
            #expect(archive.count > 100_000)
            let outcome = try shell("echo before; pack shell \(target) - --quiet; echo after")
            // Compared outside of #expect, which would look for the differences of two archives for minutes.
            let isWhole = outcome.output == Array("before\n".utf8) + archive + Array("after\n".utf8)
            #expect(isWhole, "\(outcome.output.count) bytes, \(outcome.errors)")
        }

        @Test("a pipe is written to", .needs("sha256sum"), arguments: targets) func pipe(target: String) throws {
            let archive = try program.succeed("export", "shell", target, "-").output
            let expected = try Tool.succeed("sha256sum", ["-"], input: archive).lines
            #expect(try shell("pack shell \(target) - --quiet | sha256sum").lines == expected)
        }

        @Test("that it cannot be written is a failure", arguments: targets, ["/dev/full", "&-"])
        func failure(target: String, output: String) throws {
            let outcome = try shell("pack shell \(target) - --quiet >\(output)")
            #expect(outcome.status == 1 && outcome.errors.contains("standard output"), "\(outcome.errors)")
        }
    }
}
