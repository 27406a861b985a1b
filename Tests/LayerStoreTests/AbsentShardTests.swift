import Bytes
import Digests
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// What a store lacked when a session first asked is not looked for again, and nothing comes of it that a look would have prevented.
struct AbsentShardTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    @Test(arguments: [
        ([String](), [UInt8]()), (["00", "ab", "ff"], [0, 0xab, 0xff]), (["AB", "abc", ".lost", "x"], [0xab]),
    ])
    func aDirectoryThatMayBeOneIsLookedInto(_ names: [String], _ present: [UInt8]) throws {
        let store = try fixture.open()
        for name in names { try store.directory.blobs.makeDirectory(ByteString(name), mode: 0o755) }
        let absent = AbsentShards(store.directory)
        let found = try (UInt8.min...UInt8.max).filter { try !absent.contains($0) }
        #expect(found == present)
        let digest = Digest(hashing: [1])
        absent.fill([digest.bytes[0]])
        #expect(
            try !absent.contains(digest.bytes[0])
                && absent.contains(digest.bytes[0] ^ 1) != present.contains(digest.bytes[0] ^ 1))
    }

    /// When another command stores the content.
    enum Moment: CaseIterable { case beforeTheFirstLook, beforeItIsStaged, beforeItIsPublished }

    @Test(arguments: Moment.allCases)
    func whatAnotherCommandStoresMeanwhileIsThereOnce(_ moment: Moment) throws {
        let (own, other) = (try fixture.open(), try fixture.open())
        let bytes = Array("the same".utf8)
        func store() throws { try StoreFixture.add("other", ["/f": "the same"], to: other) }
        let session = try own.beginAdding()
        if moment == .beforeTheFirstLook { try store() }
        try session.stage(bytes: Array("something".utf8))
        if moment == .beforeItIsStaged { try store() }
        let digest = try session.stage(bytes: bytes)
        #expect(session.waiting.contains(digest) == (moment != .beforeTheFirstLook))
        if moment == .beforeItIsPublished { try store() }
        let inode = try? own.directory.blobs.status(of: BlobPath.of(digest)).identity
        let tree = try StoreFixture.tree(["/g": "the same"], in: session)
        _ = try session.commit(
            layer: Name("own"), tree: tree, provenance: nil, source: "test", created: "1970-01-01T00:00:00Z",
            platform: nil, diffID: DiffID(.empty), replacing: false)
        // The one that was there stays.
        #expect(try own.directory.blobs.status(of: BlobPath.of(digest)).identity == inode)
        #expect(try own.blobs.bytes(of: digest, limit: 100, wantedBy: "the test") == bytes)
        let report = try IntegrityCheck(
            fixture.open(.reading), pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }
        ).run()
        #expect(report.damages.isEmpty)
    }

    @Test func whatTheSessionItselfPublishedIsFound() throws {
        let store = try fixture.open()
        let session = try store.beginAdding()
        let digest = try session.stage(bytes: [1])
        try session.publish()
        #expect(try session.contains(digest, size: 1))
        #expect(try !session.stage(file: fixture.file("f", "\u{1}")).wasCopied)
    }

    @Test func aFurtherStoreIsAlwaysAsked() throws {
        let shared = try StoreFixture()
        try StoreFixture.add("shared", ["/f": "shared"], to: shared.open())
        let store = try Store(StorePaths(fixture.path, further: [shared.path]), .adding)
        let session = try store.beginAdding()
        #expect(try session.contains(Digest(hashing: Array("shared".utf8)), size: 6))
    }
}
