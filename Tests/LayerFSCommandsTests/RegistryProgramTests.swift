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
}
