import Bytes
import Digests
import Foundation
import Posix
import Testing
import Trees

@testable import LayerStore

struct NodeTests {
    private func node(_ store: Store, mode: UInt16, exact: Bool = false, size: UInt64 = 5) throws -> ByteString? {
        let metadata = Metadata(
            mode: mode, uid: CurrentProcess.effectiveUser, gid: CurrentProcess.effectiveGroup,
            modified: Timestamp(seconds: 77))
        let digest = size == 0 ? Digest.empty : Digest(hashing: Array("hello".utf8))
        return try NodeStore(store).node(for: digest, size: size, metadata: metadata, exactTime: exact)?.path
    }

    @Test func entriesWithTheSameInodeMetadataShareANode() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let session = try store.beginAdding()
        _ = try session.stage(file: fixture.file("a", "hello", mode: 0o644))
        try session.publish()
        let blob = try #require(try node(store, mode: 0o644))
        #expect(blob.hasPrefix("blobs/sha256/"))
        let other = try #require(try node(store, mode: 0o755))
        #expect(other.hasPrefix("nodes/"))
        #expect(try node(store, mode: 0o755) == other)
        let status = try Files.status(fixture.path + "/" + other)
        #expect(status.permissions == 0o755 && status.size == 5)
        let exact = try #require(try node(store, mode: 0o644, exact: true))
        #expect(exact != blob)
        #expect(try Files.status(fixture.path + "/" + exact).modified.seconds == 77)
    }

    @Test(arguments: [0o4755, 0o2755, 0o666, 0o622] as [UInt16])
    func filesThatOthersCouldHarmAreNeverShared(_ mode: UInt16) throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let session = try store.beginAdding()
        _ = try session.stage(file: fixture.file("a", "hello", mode: mode))
        try session.publish()
        #expect(try node(store, mode: mode) == nil)
        // The inode in the store has none of these bits itself.
        let status = try #require(try store.blobs.status(of: Digest(hashing: Array("hello".utf8))))
        #expect(status.permissions & 0o6022 == 0)
    }

    @Test func emptyFilesAreNeverShared() throws {
        let fixture = try StoreFixture()
        #expect(try node(fixture.open(), mode: 0o644, size: 0) == nil)
    }

    @Test func aBlobOfAnotherSizeIsDamaged() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let session = try store.beginAdding()
        _ = try session.stage(file: fixture.file("a", "hello"))
        try session.publish()
        #expect { try node(store, mode: 0o644, size: 6) } throws: {
            if case LayerStoreError.damagedBlob = $0 { true } else { false }
        }
    }
}
