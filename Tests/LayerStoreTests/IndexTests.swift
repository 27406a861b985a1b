import Bytes
import Digests
import Foundation
import GRDB
import Posix
import Testing
import Trees

@testable import LayerStore

struct IndexTests {
    @Test func usageCountsEachContentOnceAndTellsWhatIsShared() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/shared": "12345678", "/own": "a", "/empty": ""], to: store)
        try StoreFixture.add("b", ["/shared": "12345678", "/again": "12345678", "/own": "bb"], to: store)
        let usage = try store.diskUsage()
        #expect(usage.contents == 3)
        #expect(usage.contentBytes == 11)
        #expect(usage.names.map(\.name) == ["a", "b"])
        #expect(usage.names.map(\.bytes) == [9, 10])
        #expect(usage.names.map(\.unique) == [1, 2])
    }

    @Test func aLostIndexIsMadeAnewFromBlobsAndReferences() throws {
        let fixture = try StoreFixture()
        try StoreFixture.add("a", ["/f": "1"], to: fixture.open())
        try StoreFixture.add("b", ["/g": "2"], to: fixture.open())
        let before = try fixture.open(.reading).diskUsage()
        try FileManager.default.removeItem(atPath: "\(fixture.path)/index.sqlite")
        // Reading does not write, yet answers.
        #expect(try fixture.open(.reading).diskUsage() == before)
        #expect(!FileManager.default.fileExists(atPath: "\(fixture.path)/index.sqlite"))
        #expect(try fixture.open().diskUsage() == before)
        #expect(FileManager.default.fileExists(atPath: "\(fixture.path)/index.sqlite"))
    }

    @Test func anIndexThatMissedACommitCatchesUp() throws {
        let fixture = try StoreFixture()
        try StoreFixture.add("a", ["/f": "1"], to: fixture.open())
        let names = ["index.sqlite", "index.sha256"]
        let old = try names.map { try Data(contentsOf: URL(fileURLWithPath: "\(fixture.path)/\($0)")) }
        try StoreFixture.add("b", ["/g": "2"], to: fixture.open())
        _ = try fixture.open(.changing).remove(Name("a"))
        let current = try fixture.open(.reading).diskUsage()
        // As if the last two commands had died after changing their references.
        for (name, bytes) in zip(names, old) { try bytes.write(to: URL(fileURLWithPath: "\(fixture.path)/\(name)")) }
        #expect(try fixture.open(.reading).diskUsage() == current)
        #expect(try fixture.open().diskUsage() == current)
    }

    @Test func theIndexOfANewerProgramIsRefused() throws {
        let fixture = try StoreFixture()
        _ = try fixture.open()
        let index = try #require(try fixture.open().writableIndex)
        try index.write("test") { database in
            try database.execute(sql: "INSERT INTO grdb_migrations VALUES ('9-from-the-future')")
        }
        #expect { try fixture.open() } throws: { "\($0)".contains("newer layerfs") }
    }

    @Test func inodesAreRememberedHoweverTheyAreLookedUp() throws {
        let fixture = try StoreFixture()
        let files = Dictionary(uniqueKeysWithValues: (0..<100).map { ("/f\($0)", "content \($0)") })
        try StoreFixture.add("a", files, to: fixture.open())
        let store = try fixture.open()
        let digests = files.values.map { Digest(hashing: Array($0.utf8)) }
        let truth = try #require(store.writableIndex).read("read") { try InodeFingerprint.find(digests, $0) }
        #expect(truth.count == digests.count)
        // Few by themselves, many by their first byte, and what no index knows among them.
        for digest in digests {
            #expect(store.tamperGuard.expected(digest) == truth[digest])
            #expect(store.tamperGuard.expected(Digest(hashing: digest.bytes)) == nil)
        }
        store.tamperGuard.prepare(digests)
        for digest in digests { #expect(store.tamperGuard.expected(digest) == truth[digest]) }
    }

    @Test func filesThatRestAreRememberedByState() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        // A file of the system: nothing has touched it for a while.
        let path: ByteString = "/etc/debian_version"
        let session = try store.beginAdding()
        let file = try session.stage(file: path)
        let tree = try StoreFixture.tree(["/f": "hello"], in: session)
        _ = try session.commit(
            layer: Name("a"), tree: tree, provenance: nil, source: "test", created: "1970-01-01T00:00:00Z",
            platform: nil, diffID: DiffID(.empty), replacing: false, known: [file])
        #expect(
            try store.beginAdding().known([file.fingerprint])
                == [file.fingerprint: KnownContent(digest: file.digest, hasAttributes: false)])
        let other = SourceState(try Files.status("/etc/passwd"))
        #expect(try store.beginAdding().known([other.fingerprint]).isEmpty)
    }

    @Test func filesThatChangedAMomentAgoAreNot() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let path = try fixture.file("a", "hello")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: path.description)
        let session = try store.beginAdding()
        let file = try session.stage(file: path)
        let tree = try StoreFixture.tree(["/f": "hello"], in: session)
        _ = try session.commit(
            layer: Name("a"), tree: tree, provenance: nil, source: "test", created: "1970-01-01T00:00:00Z",
            platform: nil, diffID: DiffID(.empty), replacing: false, known: [file])
        // Changed a moment ago (ctime): too young to be told from a further change.
        #expect(try store.beginAdding().known([file.fingerprint]).isEmpty)
    }
}
