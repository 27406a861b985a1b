import ArgumentParser
import Bytes
import Testing

@testable import LayerFSCommands

struct RegistryProgramTests {
    @Test(arguments: ["/nonexistent/layerfs", "/usr/bin/layerfs", "/layerfs"])
    func whatIsNotBesideIsMissing(_ executable: String) {
        #expect(throws: RegistryProgram.Missing.self) { try RegistryProgram.find(beside: ByteString(executable)) }
    }

    @Test(arguments: [
        ["push", "--help"], ["push", "a", "--no-such-option", "--", "b"], ["pull", "--version"], ["ls-remote", "-h"],
    ])
    func everythingIsPassedOn(_ words: [String]) throws {
        let command = try LayerFSCommand.parseAsRoot(words)
        let arguments =
            (command as? PushCommand)?.arguments ?? (command as? PullCommand)?.arguments
            ?? (command as? ListRemoteCommand)?.arguments
        #expect(arguments == Array(words.dropFirst()))
    }

    /// The verbs whose command does nothing but pass its arguments on.
    static let passedOn = LayerFSCommand.configuration.subcommands.filter { verb in
        verb == PushCommand.self || verb == PullCommand.self || verb == ListRemoteCommand.self
            || verb == LoginCommand.self || verb == LogoutCommand.self
    }.compactMap { $0.configuration.commandName }

    @Test(arguments: HelpTests.verbs)
    func theParserIsNotAskedForVerbsOfTheProgram(_ verb: String) {
        let expected = Self.passedOn.contains(verb) ? verb : nil
        for rest in [[], ["--help"], ["a", "docker://h/a", "--", "--version"]] {
            #expect(RegistryProgram.verb(of: [verb] + rest) == expected)
        }
    }

    @Test(arguments: [
        [], [""], ["help", "push"], ["--help", "push"], ["pushes"], ["PUSH"],
        ["push", "--generate-completion-script", "bash"], ["push", "--generate-completion-script=zsh"],
        ["pull", "---completion", "pull", "--", "place"], ["push", "a", "---"],
    ])
    func whatTheParserKeepsForItselfIsLeftToIt(_ words: [String]) {
        #expect(RegistryProgram.verb(of: words) == nil)
    }
}
