import Bytes
public import Digests
import Posix
import Synchronization
import SystemPackage
public import Trees

/// The contents of a store and those that wait to be published, to be read before they are.
///
/// What this very session has hashed while it wrote it is not hashed again; what was in the store before is, as always.
public struct StagedContents: ContentSource {
    private let session: StoreSession

    init(_ session: StoreSession) { self.session = session }

    public func size(of digest: Digest) throws -> UInt64? {
        try session.pending.withLock { $0[digest]?.size } ?? session.leaving.withLock { $0[digest]?.size }
            ?? session.resting.status(of: digest, in: session.staging)?.size ?? session.store.blobs.size(of: digest)
    }

    public func readContent(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let file = try staged(digest) else {
            return try session.store.blobs.readContent(digest, size: size, body)
        }
        var count: UInt64 = 0
        try file.forEachPiece(expecting: size) { piece in
            count += UInt64(piece.count)
            try body(piece)
        }
        guard count == size else {
            throw LayerStoreError.damagedBlob(
                digest, path: file.path, found: "has \(count) bytes instead of \(size)")
        }
    }

    /// nil of what does not wait to be published.
    private func staged(_ digest: Digest) throws(LayerStoreError) -> OwnedDescriptor? {
        if let name = session.pending.withLock({ $0[digest]?.name }) { return try open(name, digest) }
        let leaving = session.leaving.withLock { $0[digest]?.name }
        if let leaving, let file = try open(leaving, digest) { return file }
        guard leaving != nil || session.resting.mayContain(digest) else { return nil }
        return try open(BlobPath.of(digest), digest)
    }

    /// nil where it has got another name in this moment.
    private func open(_ name: ByteString, _ digest: Digest) throws(LayerStoreError) -> OwnedDescriptor? {
        do throws(SystemError) {
            return try session.staging.directory.open(name, [.readOnly, .noFollow])
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .system(step: "read the content \(digest)", error)
        }
    }
}

extension StoreSession {
    /// Everything that can be read while the session goes on.
    public var contents: StagedContents { StagedContents(self) }
}
