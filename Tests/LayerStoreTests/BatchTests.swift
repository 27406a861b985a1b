import Bytes
import Digests
import Posix
import Synchronization
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// A session that takes more than is to wait at once.
struct BatchTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    /// Takes `files` files, three at a time.
    private func take(_ files: Range<Int>, in session: StoreSession) throws -> [SourceFile] {
        var taken: [SourceFile] = []
        for start in stride(from: files.lowerBound, to: files.upperBound, by: 3) {
            let part = try (start..<min(start + 3, files.upperBound)).map { number in
                try session.stage(file: fixture.file("f\(number)", "content \(number % 20)"))
            }
            try session.took(part)
            taken += part
        }
        return taken
    }

    /// Makes all directories of contents, as a store that is in use has them.
    private func makeShards(in store: Store) throws {
        for first in UInt8.min...UInt8.max {
            try store.directory.blobs.makeDirectory(StoreDirectory.shard(first), mode: StoreDirectory.directoryMode)
        }
    }

    @Test(arguments: [false, true]) func whatWaitsLeavesInParts(isInUse: Bool) throws {
        let store = try fixture.open()
        if isInUse { try makeShards(in: store) }
        let session = try StoreSession(store, batchSize: 4)
        let files = try take(0..<30, in: session)
        // All is there to be read and to be known again, whether it has got its name or not.
        func expectAll() throws {
            for file in files {
                #expect(try session.contents.size(of: file.digest) == file.size)
                #expect(try !session.lacks(file.digest, size: file.size))
                var read: UInt64 = 0
                try session.contents.readContent(file.digest, size: file.size) { read += UInt64($0.count) }
                #expect(read == file.size)
            }
        }
        try expectAll()
        try session.awaitDeparture()
        try expectAll()
        // What has a directory in the store has its name before anything is committed. All else rests.
        let named = try files.filter { try store.blobs.size(of: $0.digest) != nil }.count
        #expect(isInUse ? named >= 20 : named == 0)
        #expect(session.resting.shards.isEmpty == isInUse)
        #expect(session.pending.withLock { $0.count } < 4 + 3)
        #expect(session.unremembered.withLock { $0.count } < 4 + 3)
        // Twenty contents, each of which was new once.
        #expect(files.count { $0.wasCopied } == 20)
        #expect(try session.publish().count < 4 + 3)
        #expect(try session.publish().isEmpty)
        try expectAll()
        for file in files { #expect(try store.blobs.size(of: file.digest) == file.size) }
        let index = try #require(store.writableIndex)
        #expect(try index.read("read") { try InodeFingerprint.all($0) }.isEmpty)
        try session.recordDepartures()
        let recorded = try index.read("read") { try InodeFingerprint.all($0) }
        #expect(recorded.count >= 16)
        for (digest, state) in recorded {
            #expect(try state == store.blobs.status(of: digest).map(InodeFingerprint.init))
        }
    }

    @Test func aLayerOfSeveralPartsIsWhole() throws {
        do {
            let store = try fixture.open()
            let session = try StoreSession(store, batchSize: 4)
            let files = try take(0..<30, in: session)
            var entries = Tree.empty.entries
            for (number, file) in files.enumerated() {
                entries.append(
                    Entry(
                        path: TreePath.root.appending(ByteString("f\(number)")), metadata: file.metadata,
                        kind: .file(digest: file.digest, size: file.size)))
            }
            let tree = try Tree(entries)
            let outcome = try session.commit(
                layer: Name("many"), tree: tree, provenance: nil, source: "test", created: "1970-01-01T00:00:00Z",
                platform: nil, diffID: DiffID(.empty), replacing: false)
            #expect(outcome == .created)
        }
        let report = try IntegrityCheck(
            fixture.open(.reading), pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }
        ).run()
        #expect(report.damages.isEmpty && report.blobs == 22)
        #expect(try fixture.open(.collecting).collectGarbage().blobs.count == 0)
    }

    @Test func whatIsLeavingIsNotStagedAgain() throws {
        let session = try StoreSession(fixture.open(), batchSize: 2)
        let files = try take(0..<3, in: session)
        #expect(session.leaving.withLock { $0.count } == 3 && session.pending.withLock { $0.isEmpty })
        #expect(session.waiting == Set(files.map(\.digest)))
        for (number, file) in files.enumerated() {
            let again = try session.stage(file: fixture.file("again\(number)", "content \(number)"))
            #expect(again.digest == file.digest && !again.wasCopied)
            #expect(try session.stage(bytes: Array("content \(number)".utf8)) == file.digest)
        }
        #expect(session.pending.withLock { $0.isEmpty })
        #expect(try session.publish().isEmpty)
    }

    /// Where something lies in the way of what is leaving, who publishes next is told, and nothing is taken for published.
    @Test(arguments: [false, true]) func whatCannotLeaveIsSaid(byTakingMore: Bool) throws {
        let store = try fixture.open()
        try makeShards(in: store)
        let session = try StoreSession(store, batchSize: 2)
        let files = try (0..<3).map { try session.stage(file: fixture.file("f\($0)", "content \($0)")) }
        let digest = files[0].digest
        let shard = store.directory.path + "/blobs/sha256/" + ContentPublisher.shard(digest)
        try store.directory.blobs.removeTree(ContentPublisher.shard(digest))
        try Files.open(shard, [.writeOnly, .create, .exclusive], mode: 0o644).writeAll(Array("in the way".utf8))
        try session.took(files)
        if byTakingMore {
            let more = try (3..<6).map { try session.stage(file: fixture.file("f\($0)", "content \($0)")) }
            #expect(throws: LayerStoreError.self) { try session.took(more) }
        }
        for _ in 0..<2 { #expect(throws: LayerStoreError.self) { try session.publish() } }
        #expect(throws: LayerStoreError.self) { try store.blobs.size(of: digest) }
        let index = try #require(store.writableIndex)
        #expect(try index.read("read") { try InodeFingerprint.all($0) }.isEmpty)
    }

    @Test(arguments: [false, true]) func aSessionThatEndsEarlyLeavesNothingThatStays(isInUse: Bool) throws {
        if isInUse { try makeShards(in: fixture.open()) }
        do {
            let session = try StoreSession(fixture.open(), batchSize: 4)
            _ = try take(0..<30, in: session)
        }
        let report = try IntegrityCheck(
            fixture.open(.reading), pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }
        ).run()
        #expect(report.damages.isEmpty && (isInUse ? report.blobs >= 16 : report.blobs == 0))
        #expect(try fixture.open().directory.root.open("staging", [.readOnly, .directory]).names().isEmpty)
        #expect(try fixture.open(.collecting).collectGarbage().blobs.count == report.blobs)
        let index = try #require(fixture.open().writableIndex)
        #expect(try index.read("read") { try InodeFingerprint.all($0) }.isEmpty)
    }

    @Test(arguments: [0, 1, 2, 500])
    func neededContentsAreLookedUp(count: Int) {
        var needed = NeededContents()
        let digests = (0..<count).map { Digest(hashing: Array("\($0)".utf8)) }
        for (number, digest) in digests.enumerated() {
            needed.add(digest)
            if number % 3 > 0 { needed.add(digest, size: UInt64(number)) }
            if number % 3 == 2 { needed.add(digest) }
        }
        needed.sort()
        for (number, digest) in digests.enumerated() {
            #expect(needed.size(of: digest) == (number % 3 > 0 ? UInt64(number) : nil))
        }
        #expect(needed.size(of: Digest(hashing: [])) == nil)
        for first in UInt8.min...UInt8.max {
            let expected = digests.filter { $0.bytes[0] == first }.sorted()
            #expect(Array(needed.digests(beginningWith: first)) == expected)
        }
    }
}
