import ArgumentParser
import Testing

@testable import LayerFSCommands

struct HelpTests {
    static let verbs = LayerFSCommand.configuration.subcommands.compactMap { $0.configuration.commandName }

    @Test(arguments: verbs)
    func everyVerbExplainsItself(_ verb: String) throws {
        let command = try #require(
            LayerFSCommand.configuration.subcommands.first { $0.configuration.commandName == verb })
        let help = LayerFSCommand.helpMessage(for: command, columns: 100)
        #expect(help.contains("USAGE: layerfs \(verb)"))
        #expect(!command.configuration.abstract.isEmpty)
    }

    @Test(arguments: [
        ["nosuchverb"], ["add"], ["add", "bash", "--chown", "0:0"],
        ["add", "--exclude", "x"], ["compose"], ["compose", "a++b"], ["compose", "a", "--cmd", "x"], ["export", "a"],
        ["export", "a", "--oci", "x", "--tar", "y"], ["export", "a", "--oci", "-"],
        ["export", "a", "--tar", "-", "--json"],
        ["materialize", "a"], ["materialize", "a", "b", "--link", "soft"], ["rm"], ["rm", "a/../b"], ["show"],
        ["why", "a"],
        ["resolve"],
        ["ls", "extra"], ["du", "--no-such-option"],
        ["gc", "a"], ["reindex", "a"], ["fsck", "a"], ["fsck", "--fast", "--repair"], ["fsck", "--from", "x"],
        ["gc", "--keep-younger-than", "1w"], ["gc", "--keep-younger-than", "-1s"],
        ["resolve", "ls", "--hwcaps", "portble"],
        ["add", "ls", "--hwcaps", "host,none"], ["add", "ls", "--dlopen", "some"], ["add", "ls", "--rules", "few"],
        ["add", ""],
    ])
    func wrongUsageIsRefusedBeforeAnythingIsDone(_ words: [String]) {
        #expect { try LayerFSCommand.parseAsRoot(words) } throws: { error in
            LayerFSCommand.exitCode(for: error).rawValue == 64
        }
    }

    @Test func whatFollowsTheRootIsTheCommandsOwn() throws {
        let parsed = try LayerFSCommand.parseAsRoot(["run", "-e", "A=1", "shell", "--", "ls", "--color", "-e", "/"])
        let run = try #require(parsed as? RunCommand)
        #expect(run.command.drop { $0 == "--" } == ["ls", "--color", "-e", "/"])
        #expect(run.env == ["A=1"])
    }
}
