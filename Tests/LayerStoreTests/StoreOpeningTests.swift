import Bytes
import Foundation
import Posix
import TestSupport
import Testing

@testable import LayerStore

struct StoreOpeningTests {
    @Test func aStoreIsMadeOnceAndOpensAgain() throws {
        let fixture = try StoreFixture()
        _ = try fixture.open()
        let before = try fixture.snapshot()
        #expect(before.keys.sorted() == ["layerfs.json", "lock"])
        _ = try fixture.open(.reading)
        _ = try fixture.open()
        #expect(try fixture.snapshot() == before)
    }

    @Test func readingMakesNoStore() throws {
        let fixture = try StoreFixture()
        #expect { try fixture.open(.reading) } throws: { if case LayerStoreError.noStore = $0 { true } else { false } }
        #expect(try Files.statusIfPresent(fixture.path) == nil)
    }

    @Test func aDirectoryWithOtherFilesIsLeftAlone() throws {
        let fixture = try StoreFixture()
        let path = ByteString(fixture.directory.path)
        _ = try fixture.file("precious", "x")
        #expect { try Store(path, .adding) } throws: { if case LayerStoreError.notAStore = $0 { true } else { false } }
        #expect(try fixture.directory.contents() == ["precious"])
    }

    struct Format: Sendable, CustomTestStringConvertible {
        var json: String
        var canRead: Bool
        var canWrite: Bool
        var testDescription: String { json }
    }

    static let formats = [
        Format(
            json:
                #"{"formatVersion":1,"algorithm":"sha256","features":{"compatible":["x"],"readOnlyCompatible":[],"incompatible":[]}}"#,
            canRead: true, canWrite: true),
        Format(
            json:
                #"{"formatVersion":1,"algorithm":"sha256","features":{"compatible":[],"readOnlyCompatible":["x"],"incompatible":[]}}"#,
            canRead: true, canWrite: false),
        Format(
            json:
                #"{"formatVersion":1,"algorithm":"sha256","features":{"compatible":[],"readOnlyCompatible":[],"incompatible":["x"]}}"#,
            canRead: false, canWrite: false),
        Format(
            json:
                #"{"formatVersion":2,"algorithm":"sha256","features":{"compatible":[],"readOnlyCompatible":[],"incompatible":[]}}"#,
            canRead: false, canWrite: false),
        Format(
            json:
                #"{"formatVersion":1,"algorithm":"blake3","features":{"compatible":[],"readOnlyCompatible":[],"incompatible":[]}}"#,
            canRead: false, canWrite: false),
        Format(
            json:
                #"{"formatVersion":0,"algorithm":"sha256","features":{"compatible":[],"readOnlyCompatible":[],"incompatible":[]}}"#,
            canRead: false, canWrite: false),
        Format(json: "{}", canRead: false, canWrite: false),
        Format(json: "", canRead: false, canWrite: false),
    ]

    @Test(arguments: formats)
    func featuresSayWhatAnOlderProgramMayDo(_ format: Format) throws {
        let fixture = try StoreFixture()
        _ = try fixture.open()
        try Data(format.json.utf8).write(to: URL(fileURLWithPath: "\(fixture.path)/layerfs.json"))
        #expect(((try? fixture.open(.reading)) != nil) == format.canRead)
        #expect(((try? fixture.open(.adding)) != nil) == format.canWrite)
    }
}
