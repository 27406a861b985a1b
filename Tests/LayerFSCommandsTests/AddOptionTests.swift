import ArgumentParser
import Bytes
import LayerFSKit
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
}
