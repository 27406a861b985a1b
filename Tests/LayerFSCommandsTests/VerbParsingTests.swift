import ArgumentParser
import Testing

@testable import LayerFSCommands

/// A verb that gets its arguments directly is as one that the root's parser found.
struct VerbParsingTests {
    static let wrong: [[String]] =
        [
            [], ["help"], ["help", "add"], ["help", "nosuchverb"], ["nosuchverb"], ["ad", "bash"], ["--version"],
            ["--no-such-option"], ["--help"], ["-h"], ["--help-hidden"], ["--generate-completion-script", "bash"],
            ["--experimental-dump-help"], ["add", "--generate-completion-script", "bash"],
            ["add", "--experimental-dump-help"], ["add"], ["add", "--help"], ["add", "-h"], ["add", "--version"],
            ["add", "bash", "--help"], ["add", "bash", "--version"], ["add", "--", "--help"], ["add", "--no-such"],
            ["add", "bash", "--dri-run"], ["add", "bash", "--name"], ["add", "bash", "--name", "a b"], ["add", ""],
            ["add", "bash", "--progress", "loud"], ["add", "bash", "--wait", "-1"], ["add", "bash", "-x"],
            ["add", "bash", "-qvx"], ["add", "---completion", "add", "--", "programs"],
            ["--store", "x", "add", "bash"],
            ["-v", "add", "bash"], ["add", "bash", "--chown", "0:0"], ["add", "help"], ["compose", "help", "--strict"],
            ["index"], ["index", "help"], ["index", "create"], ["index", "create", "--help"], ["index", "--version"],
            ["checkout", "a"], ["checkout", "--help"], ["list", "extra"], ["list", "--help"], ["run", "--help"],
            ["run"], ["run", "shell", "--help"], ["run", "shell", "--", "--help"], ["run", "--version", "shell"],
            ["push", "--help"], ["push", "--version"], ["login", "--no-such"], ["gc", "--keep-younger-than", "1w"],
            ["export", "a", "--oci", "x", "--tar", "y"], ["resolve", "ls", "--hwcaps", "portble"],
        ]
        + HelpTests.verbs.flatMap {
            [[$0], [$0, "--help"], [$0, "--help-hidden"], [$0, "--nonsense", "a", "b", "c"]]
        }

    /// What comes of it: a command with its arguments, or all that is said, and the exit code.
    private func outcome(_ parse: () throws -> any ParsableCommand) -> [String] {
        do {
            var command = try parse()
            // What shows help is a command of the parser's own.
            if !LayerFSCommand.configuration.subcommands.contains(where: { $0 == type(of: command) }) {
                try command.run()
            }
            return ["\(String(reflecting: command))"]
        } catch {
            return [
                LayerFSCommand.fullMessage(for: error, columns: 100), LayerFSCommand.message(for: error),
                "\(LayerFSCommand.exitCode(for: error))",
            ]
        }
    }

    @Test(arguments: wrong) func allThatIsSaidIsTheSame(_ words: [String]) {
        let direct = outcome { try LayerFSCommand.parseVerb(words) }
        #expect(direct == outcome { try LayerFSCommand.parseAsRoot(words) })
        #expect(direct[0] != "")
    }

    @Test(arguments: [
        ["add", "bash"], ["add", "-v", "bash", "--", "-x"], ["add", "bash", "--store", "a", "--store", "b", "-q"],
        ["add", "--dir", "a:/b", "--chown", "1:2", "--name", "x", "--json"], ["ls"], ["ls", "--json"],
        ["fsck", "--fast"],
        ["run", "-e", "A=1", "shell", "--", "ls", "-e"], ["run", "shell", "ls", "--color"], ["checkout", "a", "b"],
        ["materialize", "a", "b", "--link", "reflink"], ["compose", "a+b", "-t", "c", "--cmd", "x y"],
        ["push", "a", "docker://h/a", "--jobs", "2"], ["gc", "--keep-younger-than", "36h"], ["why", "a", "/bin/sh"],
        ["export", "a", "--tar", "-"], ["rm", "help"], ["index", "create", "-t", "a", "b", "c"],
    ])
    func whatIsAskedForIsTheSame(_ words: [String]) throws {
        let direct = try LayerFSCommand.parseVerb(words)
        #expect(String(reflecting: direct) == String(reflecting: try LayerFSCommand.parseAsRoot(words)))
    }
}
