import Bytes
import Digests
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// What the index is to know waits in sorted runs.
struct SpilledRunsTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    /// Compared by its key alone.
    private struct Item: Comparable, Hashable {
        var key: Int
        var run: Int
        var place: Int

        static func < (left: Item, right: Item) -> Bool { left.key < right.key }
        static func == (left: Item, right: Item) -> Bool { left.key == right.key }
    }

    @Test(arguments: [[], [0], [1], [1, 0, 1], [600], [300, 5, 0, 700, 256], Array(repeating: 40, count: 50)])
    func allComeInOrder(_ lengths: [Int]) throws {
        let staging = try StagingArea(fixture.open().directory)
        let spilled = try SpilledRuns<Item>(in: staging)
        var all: [Item] = []
        for (run, length) in lengths.enumerated() {
            // Many are the same.
            let keys = (0..<length).map { _ in Int.random(in: 0..<100) }.sorted()
            let items = keys.enumerated().map { Item(key: $1, run: run, place: $0) }
            try spilled.append(items)
            all += items
        }
        #expect(spilled.runs == lengths)
        for _ in 0..<2 {
            var found: [Item] = []
            try spilled.forEach { item, run, place in
                #expect((item.run, item.place) == (run, place))
                found.append(item)
            }
            let expected = all.sorted { ($0.key, $0.run, $0.place) < ($1.key, $1.run, $1.place) }
            #expect(found.map { [$0.key, $0.run, $0.place] } == expected.map { [$0.key, $0.run, $0.place] })
        }
        #expect(try staging.directory.names().isEmpty && staging.remains.isEmpty)
    }

    @Test func whatIsThrownEndsIt() throws {
        struct Enough: Error {}
        let spilled = try SpilledRuns<Item>(in: StagingArea(fixture.open().directory))
        try spilled.append((0..<5).map { Item(key: $0, run: 0, place: $0) })
        var count = 0
        #expect(throws: Enough.self) {
            try spilled.forEach { _, _, _ in
                count += 1
                if count == 3 { throw Enough() }
            }
        }
        #expect(count == 3)
    }

    private static func file(_ number: Int, _ digest: Digest) -> SourceFile {
        let time = FileTime(seconds: 1_000, nanoseconds: 0)
        return SourceFile(
            digest: digest, size: 9, metadata: Metadata(mode: 0o644), wasCopied: true,
            fingerprint: SourceFingerprint(
                identity: FileIdentity(device: 5, inode: UInt64(number)), size: 9, modified: time, changed: time),
            begun: FileTime(seconds: 2_000, nanoseconds: 0))
    }

    @Test func theIndexKnowsWhatWasLogged() throws {
        let store = try fixture.open()
        let session = try store.beginAdding()
        let digests = (0..<90).map { Digest(hashing: Array("\($0)".utf8)) }
        let before = try session.stage(bytes: Array("before".utf8))
        func state(_ number: Int) -> InodeFingerprint {
            InodeFingerprint(
                inode: UInt64(number), size: 9, modified: FileTime(seconds: 3, nanoseconds: 4), mode: 0o644, uid: 1,
                gid: 2)
        }
        #expect(session.log.isEmpty)
        for run in 0..<3 {
            let numbers = (run * 30)..<(run * 30 + 30)
            // Every tenth is of what was there before, or came in the run before.
            let files = numbers.map {
                Self.file($0 * 17 % 90, $0 % 10 == 0 ? before : digests[$0 % 10 == 1 ? ($0 + 60) % 90 : $0])
            }
            try session.log.append(
                Dictionary(uniqueKeysWithValues: numbers.map { (digests[$0], state($0)) }), files, in: session.staging)
        }
        // One that changed meanwhile.
        try session.log.append([:], [Self.file(17, digests[0])], in: session.staging)
        try session.recordDepartures()
        #expect(session.log.isEmpty)
        let index = try #require(store.writableIndex)
        let recorded = try index.read("read") { try InodeFingerprint.all($0) }
        #expect(recorded == Dictionary(uniqueKeysWithValues: (0..<90).map { (digests[$0], state($0)) }))
        for number in 0..<90 {
            var expected = number % 10 == 0 ? before : digests[number % 10 == 1 ? (number + 60) % 90 : number]
            if number * 17 % 90 == 17 { expected = digests[0] }
            let fingerprint = Self.file(number * 17 % 90, .empty).fingerprint
            #expect(try session.known([fingerprint]) == [KnownContent(digest: expected, hasAttributes: false)])
        }
    }
}
