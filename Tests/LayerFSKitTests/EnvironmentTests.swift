import Bytes
import Testing
import Trees

@testable import LayerFSKit

struct EnvironmentTests {
    struct Case: Sendable {
        var option: String?
        var variables: [String: String]
        var path: String
    }

    static let cases = [
        Case(option: "/o", variables: ["LAYERFS_STORE": "/l", "HOME": "/h"], path: "/o"),
        Case(option: "o", variables: [:], path: "/cwd/o"),
        Case(option: nil, variables: ["LAYERFS_STORE": "/l", "XDG_DATA_HOME": "/x", "HOME": "/h"], path: "/l"),
        Case(option: nil, variables: ["LAYERFS_STORE": "", "XDG_DATA_HOME": "/x", "HOME": "/h"], path: "/x/layerfs"),
        Case(option: nil, variables: ["XDG_DATA_HOME": "relative", "HOME": "/h"], path: "/h/.local/share/layerfs"),
        Case(option: nil, variables: ["HOME": "/h"], path: "/h/.local/share/layerfs"),
    ]

    @Test(arguments: cases)
    func thePlaceOfTheStore(_ example: Case) throws {
        let path = try Environment(example.variables).storePath(
            option: example.option.map { ByteString($0) }, currentDirectory: { "/cwd" })
        #expect(path == ByteString(example.path))
    }

    @Test func withoutAnyPlaceItSaysWhatToSet() {
        #expect { try Environment([:]).storePath(option: nil, currentDirectory: { "/" }) } throws: {
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
