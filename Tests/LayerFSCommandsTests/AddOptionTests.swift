import ArgumentParser
import Bytes
import LayerFSKit
import Loader
import Testing
import Trees

@testable import LayerFSCommands

struct AddOptionTests {
    @Test func whatIsNamedOnTheCommandLineIsInTheRequest() throws {
        let parsed = try LayerFSCommand.parseAsRoot([
            "add", "--file", "a:/b", "--file", "c", "--dir", "d:/e", "--exclude", "*.pyc", "--chown", "1:2", "--chmod",
            "0640",
            "--name", "x",
        ])
        let command = try #require(parsed as? AddCommand)
        let request = try command.request()
        #expect(request.files.map(\.source) == ["a", "c"])
        #expect(request.directories.map(\.destination?.description) == ["/e"])
        #expect(request.excluded.map(\.text) == ["*.pyc"])
        #expect(request.owner?.uid == 1 && request.owner?.gid == 2 && request.mode == 0o640)
        #expect(request.name?.text == "x" && request.programs.isEmpty)
    }

    private func options(_ words: String..., rules: ClosureOptions.RuleChoice = .all) throws -> ResolveOptions {
        try ClosureOptions.parse(words).resolveOptions(rules: rules)
    }

    @Test func whatIsSaidOfClosuresIsInTheOptions() throws {
        let usual = try options()
        #expect(usual.variants == .portable && usual.dlopen == .recommended && !usual.includesPreloads)
        #expect(usual.rules == RuleTable.rules && usual.libraryPath == [])
        #expect(try options(rules: .none).rules == [])
        #expect(try options("--rules", "none").rules == [])
        #expect(try options("--rules", "all", rules: .none).rules == RuleTable.rules)
        #expect(try options("--hwcaps", "none").variants == .none)
        #expect(try options("--hwcaps", "host").variants == .levels(ProcessorLevels.host()))
        #expect(
            try options("--hwcaps", "x86-64-v3,z15,haswell").variants == .levels(["x86-64-v3", "z15", "haswell"]))
        #expect(try options("--dlopen", "suggested", "--preload").dlopen == .suggested)
        #expect(try options("--preload").includesPreloads)
        // Colons and semicolons separate; an empty directory is the current one.
        #expect(try options("--library-path", "/a:/b;").libraryPath == ["/a", "/b", ""])
    }

    @Test func anotherRootIsNotLookedThroughByTheCallersPATH() throws {
        let environment = Environment(["PATH": "/somewhere"])
        #expect(try ClosureOptions.parse([]).searchPath(environment) == ["/somewhere"])
        let other = try ClosureOptions.parse(["--root", "/usr/.."])
        #expect(other.searchPath(environment) == ResolveOptions.defaultPath)
        #expect(try other.rootPath() == "/")
        #expect(throws: LayerFSError.self) { try ClosureOptions.parse(["--root", "/etc/passwd"]).rootPath() }
        #expect(throws: LayerFSError.self) { try ClosureOptions.parse(["--root", "/nowhere"]).rootPath() }
    }
}
