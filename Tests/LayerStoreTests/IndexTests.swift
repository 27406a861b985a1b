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

    @Test(
        arguments: [
            // All, every second, far between, none, and those around the ends.
            0..<400, 0..<1, 399..<400, 40..<41,
        ], [1, 2, 7, 9, 10, 50, 399])
    func statesOfManyContentsAreFoundAsOneByOne(_ range: Range<Int>, _ step: Int) throws {
        let index = try LayerIndex.inMemory()
        let all = (0..<400).map { Digest(hashing: Array("\($0)".utf8)) }.sorted()
        let states = Dictionary(
            uniqueKeysWithValues: all.enumerated().map { number, digest in
                let identity = FileIdentity(device: 1, inode: UInt64(number))
                return (
                    digest,
                    InodeFingerprint(FileStatus(kind: .regular, permissions: 0o644, size: 1, identity: identity))
                )
            })
        // Every third is not remembered.
        let known = states.filter { $0.value.inode % 3 != 0 }
        try index.write("test") { try InodeFingerprint.record(known, ContentRows($0)) }
        let wanted = stride(from: range.lowerBound, to: range.upperBound, by: step).map { all[$0] }
        let found = try index.read("test") { try InodeFingerprint.find(sorted: wanted, $0) }
        #expect(found == wanted.map { known[$0] })
    }

    @Test(arguments: [1, 2, 7, 9, 10, 50, 399])
    func statesOfManyHostFilesAreFoundAsOneByOne(_ step: Int) throws {
        let index = try LayerIndex.inMemory()
        func state(_ number: Int, size: UInt64 = 7) -> SourceFingerprint {
            // Two devices; the numbers of half of the inodes are negative ones for SQLite.
            let identity = FileIdentity(
                device: UInt64(1 + number % 2), inode: number % 4 < 2 ? UInt64(number) : .max - UInt64(number))
            return SourceFingerprint(FileStatus(kind: .regular, permissions: 0o644, size: size, identity: identity))
        }
        let files = (0..<400).filter { $0 % 3 != 0 }.map { number in
            SourceFile(
                digest: Digest(hashing: Array("\(number)".utf8)), size: 7,
                metadata: Metadata(
                    mode: 0o644, extendedAttributes: number % 7 == 0 ? [.init(name: "user.a", value: "b")] : []),
                wasCopied: true, fingerprint: state(number), begun: .now)
        }
        try index.write("test") { try StoreSession.remember(files, ContentRows($0), $0) }
        // Every fifth has another size by now, and some are there by two names.
        let wanted = stride(from: 0, to: 400, by: step).map { state($0, size: $0 % 5 == 0 ? 8 : 7) }
        let all = wanted + wanted.prefix(20)
        let found = try KnownFileSearch(all, in: index)
        let expected = all.map { state in
            files.first { $0.fingerprint == state }.map {
                KnownContent(digest: $0.digest, hasAttributes: !$0.metadata.extendedAttributes.isEmpty)
            }
        }
        #expect(found.known == expected)
        // No states of inodes were told.
        #expect(found.contents.allSatisfy { $0.state == nil })
        #expect(Set(found.contents.map(\.digest)) == Set(expected.compactMap { $0?.digest }))
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
        let all = try #require(store.writableIndex).read("read") { try InodeFingerprint.all($0) }
        let truth = all.filter { digests.contains($0.key) }
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
                == [KnownContent(digest: file.digest, hasAttributes: false)])
        let other = SourceState(try Files.status("/etc/passwd"))
        #expect(try store.beginAdding().known([other.fingerprint]) == [nil])
    }

    @Test func filesAreRememberedWhereNothingIsCommittedToo() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let session = try store.beginAdding()
        let file = try session.stage(file: "/etc/debian_version")
        try session.took([file])
        #expect(try store.beginAdding().known([file.fingerprint]) == [nil])
        try session.rememberTaken()
        #expect(try store.beginAdding().known([file.fingerprint])[0]?.digest == file.digest)
        // Too young to be told from a further change.
        let young = try session.stage(file: fixture.file("young", "hello"))
        try session.took([young])
        try session.rememberTaken()
        #expect(try store.beginAdding().known([young.fingerprint]) == [nil])
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
        #expect(try store.beginAdding().known([file.fingerprint]) == [nil])
    }
}
