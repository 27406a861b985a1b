import Bytes
import Digests
import Foundation
import GRDB
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerStore

struct IndexDamageTests {
    let fixture: StoreFixture
    let expected: DiskUsage
    private var index: URL { URL(fileURLWithPath: "\(fixture.path)/index.sqlite") }

    init() throws {
        fixture = try StoreFixture()
        for name in ["a", "b"] {
            let files = (0..<40).map { ("/usr/\(name)/file\($0)", "\(name) \($0 % 7)") }
            try StoreFixture.add(name, Dictionary(uniqueKeysWithValues: files), to: fixture.open())
        }
        expected = try fixture.open(.reading).diskUsage()
    }

    /// LAYERFS_DAMAGE_ROUNDS sets more for a long run.
    @Test func readingAnIndexWithOneChangedByteNeverGivesWrongData() throws {
        let good = try Data(contentsOf: index)
        var random = SeededGenerator(seed: 65)
        for _ in 0..<damageRounds {
            var damaged = good
            let position = Int.random(in: damaged.indices, using: &random)
            damaged[position] ^= UInt8.random(in: 1...255, using: &random)
            try damaged.write(to: index)
            let usage = try fixture.open(.reading).diskUsage()
            #expect(usage == expected, "byte \(position)")
        }
        #expect(try fixture.open(.reindexing).diskUsage() == expected)
    }

    @Test func whoeverWritesMakesADamagedIndexAnew() throws {
        let good = try Data(contentsOf: index)
        var random = SeededGenerator(seed: 66)
        for _ in 0..<25 {
            var damaged = good
            damaged[Int.random(in: damaged.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            try damaged.write(to: index)
            let store = try fixture.open(.changing)
            #expect(try store.writableIndex?.agreesWithStamp() == true)
            #expect(try store.diskUsage() == expected)
        }
    }

    @Test(arguments: ["cut", "empty", "text", "stamp", "torn stamp", "no stamp", "foreign journal"])
    func noLossOfTheIndexIsALossOfData(_ loss: String) throws {
        let stamp = URL(fileURLWithPath: "\(fixture.path)/index.sha256")
        switch loss {
        case "cut": try Data(contentsOf: index).prefix(10_000).write(to: index)
        case "empty": try Data().write(to: index)
        case "text": try Data("not a database".utf8).write(to: index)
        case "stamp": try Data((String(repeating: "0", count: 64) + "  index.sqlite\n").utf8).write(to: stamp)
        case "torn stamp": try Data(contentsOf: stamp).prefix(40).write(to: stamp)
        case "no stamp": try FileManager.default.removeItem(at: stamp)
        default:
            try Data(repeating: 0xd9, count: 5000).write(
                to: URL(fileURLWithPath: "\(fixture.path)/index.sqlite-journal"))
        }
        #expect(try fixture.open(.reading).diskUsage() == expected)
        try StoreFixture.add("c", ["/f": "new"], to: fixture.open())
        let store = try fixture.open(.changing)
        #expect(try store.writableIndex?.agreesWithStamp() == true)
        _ = try store.remove(Name("c"))
        #expect(try store.diskUsage().names == expected.names)
    }

    @Test func whileOthersUseTheStoreADamagedIndexIsDoneWithout() throws {
        let reader = try fixture.open(.reading)
        try Data("not a database".utf8).write(to: index)
        let store = try fixture.open()
        #expect(store.writableIndex == nil)
        try StoreFixture.add("c", ["/f": "new"], to: store)
        _ = try store.remove(Name("a"))
        #expect(try store.diskUsage().names.map(\.name) == ["b", "c"])
        #expect(throws: LayerStoreError.self) { try Store(fixture.path, .reindexing, patience: .zero) }
        _ = consume store
        _ = consume reader
        let healed = try fixture.open(.changing)
        #expect(try healed.writableIndex?.agreesWithStamp() == true)
        #expect(try healed.diskUsage().names.map(\.name) == ["b", "c"])
    }

    @Test func anIndexWithoutTheLatestTablesIsMigratedAndItsStampFollows() throws {
        try FileManager.default.removeItem(at: index)
        let stamp = IndexStamp(store: try fixture.open(.reading).directory)
        // As a program left it that knew no migration at all.
        let old = try LayerIndex(path: fixture.path + "/index.sqlite", access: .changing, stamp: stamp)
        try old.write("test") {
            try $0.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        }
        try old.close()
        let store = try fixture.open(.changing)
        #expect(try store.writableIndex?.agreesWithStamp() == true)
        #expect(try store.diskUsage() == expected)
    }
}
