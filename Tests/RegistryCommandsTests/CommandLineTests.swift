import ArgumentParser
import Bytes
import LayerFSCommands
import OCI
import Registry
import RegistryProtocol
import Testing
import Trees

@testable import RegistryCommands

struct CommandLineTests {
    static let verbs = RegistryCommand.configuration.subcommands.compactMap { $0.configuration.commandName }

    @Test(arguments: verbs)
    func everyVerbExplainsItself(_ verb: String) throws {
        let command = try #require(
            RegistryCommand.configuration.subcommands.first { $0.configuration.commandName == verb })
        let help = RegistryCommand.helpMessage(for: command, columns: 100)
        #expect(help.contains("USAGE: layerfs \(verb)"))
        #expect(!command.configuration.abstract.isEmpty)
    }

    @Test(arguments: [
        ["nosuchverb"], ["push"], ["push", "shell"], ["push", "a", "b", "c"],
        ["pull", "docker://h.x/a", "--oci", "d", "-t", "x"],
        ["pull", "--oci", "d"],
        ["pull", "docker://h.x/a", "--oci", "d", "--platform", "linux/amd64", "--all-platforms"],
        ["push", "a", "docker://h.x/a", "--mount-from", "UPPER"], ["push", "a", "docker://h.x/a", "--jobs", "0"],
        ["push", "a", "docker://h.x/a", "--attach", "f"], ["push", "a", "docker://h.x/a", "--artifact-type", "a/b"],
        ["push", "a", "docker://h.x/a", "--attach", "f", "--artifact-type", "none"],
        ["push", "a", "docker://h.x/a", "--attach", "f", "--artifact-type", "a/b", "--artifact-type", "a/c"],
        ["login"], ["login", "h.x", "--password-stdin"], ["login", "h.x", "--password", "p"], ["logout"], ["ls-remote"],
        ["pull", "docker://h.x/a", "--oci", "d", "--tls-verify", "maybe"],
    ])
    func wrongUsageIsRefusedBeforeAnythingIsDone(_ words: [String]) {
        #expect { try RegistryCommand.parseAsRoot(words) } throws: { error in
            RegistryCommand.exitCode(for: error).rawValue == 64
        }
    }

    @Test(
        arguments: [
            [], ["push"], ["push", "--help"], ["push", "a", "b", "c"], ["pull", "--version"], ["--version"],
            ["login", "-h"],
            ["pull", "docker://h.x/a", "--oci", "d", "--tls-verify", "maybe"], ["nosuchverb"], ["help", "push"],
        ] + verbs.map { [$0, "--nonsense"] })
    func whatIsSaidOfWrongUsageIsTheSameForAVerbByItself(_ words: [String]) throws {
        func said(_ parse: () throws -> any ParsableCommand) -> [String] {
            do {
                var command = try parse()
                // What shows help is a command of the parser's own.
                if !RegistryCommand.configuration.subcommands.contains(where: { $0 == type(of: command) }) {
                    try command.run()
                }
                return [String(reflecting: command)]
            } catch {
                return [RegistryCommand.fullMessage(for: error), "\(RegistryCommand.exitCode(for: error))"]
            }
        }
        #expect(said { try RegistryCommand.parseVerb(words) } == said { try RegistryCommand.parseAsRoot(words) })
    }

    @Test func attachedFilesHaveTypes() throws {
        let words = ["push", "docker://h.x/a", "--attach", "a", "--attach", "b", "--artifact-type", "x/a"]
        let one = try #require(try RegistryCommand.parseAsRoot(words) as? PushCommand)
        #expect(try one.artifacts.chosen().map(\.type.text) == ["x/a", "x/a"])
        let two = try #require(
            try RegistryCommand.parseAsRoot(words + ["--artifact-type", "x/b"]) as? PushCommand)
        #expect(try two.artifacts.chosen().map(\.type.text) == ["x/a", "x/b"])
    }

    @Test(
        arguments: [
            ("oci:dir", "dir", nil), ("oci:dir:1.0", "dir", "1.0"), ("oci:/a:b/dir", "/a:b/dir", nil),
            ("oci:./x:latest", "./x", "latest"),
        ] as [(String, String, String?)])
    func layoutsAsSources(text: String, path: String, reference: String?) throws {
        guard case .layout(let found, let name) = try PushSource(text) else {
            Issue.record("\(text) is a layout")
            return
        }
        #expect(found == ByteString(path) && name == reference)
    }

    @Test(arguments: [
        ("docker://bash", "bash"), ("docker://h.x:5000/team/shell:1.0", "team/shell:1.0"), ("docker://o/i:2", "o/i:2"),
    ])
    func namesInTheStore(place: String, name: String) throws {
        #expect(try RegistryPlace(parsing: place).usualName.text == name)
    }

    @Test func anythingElseIsARoot() throws {
        guard case .root(let root) = try PushSource("bash+ls") else {
            Issue.record("an expression is a root")
            return
        }
        #expect(root.description == "bash+ls")
    }

    @Test(arguments: [
        ("docker://h.x:5000/", "h.x:5000"), ("https://index.docker.io", "docker.io"), ("localhost", "localhost"),
    ])
    func hosts(text: String, name: String) throws { #expect(try RegistryHost.name(text) == name) }

    @Test(arguments: ["", "h x", "h.x/ns", "u@h.x", "h:0"]) func noHosts(_ text: String) {
        #expect(throws: RegistryError.self) { try RegistryHost.name(text) }
    }

    @Test(
        arguments: [
            (RegistryError.notFound(what: "x"), 2), (.busy(what: "x", reason: ""), 6), (.missingBlob(digest: ""), 5),
            (.malformedPlace("", reason: ""), 64), (.unauthorized(host: "", hadCredentials: true, reason: ""), 1),
            (.layout(path: "", reason: ""), 4),
        ] as [(RegistryError, Int32)])
    func exitCodes(error: RegistryError, code: Int32) { #expect(RegistryErrorReport.exitCode(for: error) == code) }
}
