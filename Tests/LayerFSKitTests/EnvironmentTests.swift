import Bytes
import Foundation
import LayerStore
import Testing
import Trees

@testable import LayerFSKit

struct EnvironmentTests {
    struct Case: Sendable {
        var options: [String] = []
        var variables: [String: String]
        var path: String
        var further: [String] = []
    }

    static let cases = [
        Case(options: ["/o"], variables: ["LAYERFS_STORE": "/l", "HOME": "/h"], path: "/o"),
        Case(options: ["o"], variables: [:], path: "/cwd/o"),
        Case(variables: ["LAYERFS_STORE": "/l", "XDG_DATA_HOME": "/x", "HOME": "/h"], path: "/l"),
        Case(variables: ["LAYERFS_STORE": "", "XDG_DATA_HOME": "/x", "HOME": "/h"], path: "/x/layerfs"),
        Case(variables: ["XDG_DATA_HOME": "relative", "HOME": "/h"], path: "/h/.local/share/layerfs"),
        Case(variables: ["HOME": "/h"], path: "/h/.local/share/layerfs"),
        Case(variables: ["LAYERFS_STORE": "/l:/m:n"], path: "/l", further: ["/m", "/cwd/n"]),
        Case(variables: ["LAYERFS_STORE": ":/l::/m:"], path: "/l", further: ["/m"]),
        Case(variables: ["LAYERFS_STORE": ":", "HOME": "/h"], path: "/h/.local/share/layerfs"),
        Case(options: ["/o:p", "q"], variables: ["LAYERFS_STORE": "/l:/m"], path: "/o:p", further: ["/cwd/q"]),
    ]

    @Test(arguments: cases)
    func thePlaceOfTheStore(_ example: Case) throws {
        let paths = try Environment(example.variables).storePaths(
            options: example.options.map { ByteString($0) }, currentDirectory: { "/cwd" })
        #expect(paths == StorePaths(ByteString(example.path), further: example.further.map { ByteString($0) }))
    }

    @Test func whatTheProcessHasIsFound() throws {
        #expect(Environment.current.value("PATH") == ProcessInfo.processInfo.environment["PATH"])
        #expect(Environment.current.value("LAYERFS_THAT_NOBODY_SETS") == nil)
    }

    @Test func withoutAnyPlaceItSaysWhatToSet() {
        #expect { try Environment([:]).storePaths(options: [], currentDirectory: { "/" }) } throws: {
            "\($0)".contains("--store")
        }
    }

    @Test(arguments: [("0", 0), ("1700000000", 1_700_000_000)])
    func sourceDateEpochIsANumberOfSeconds(_ text: String, _ seconds: Int64) throws {
        #expect(try Environment(["SOURCE_DATE_EPOCH": text]).sourceDateEpoch() == Timestamp(seconds: seconds))
    }

    @Test(arguments: ["-1", "now", "1.5", "99999999999999999999", " 1"])
    func anythingElseIsRefused(_ text: String) {
        #expect(throws: LayerFSError.self) { try Environment(["SOURCE_DATE_EPOCH": text]).sourceDateEpoch() }
    }
}
