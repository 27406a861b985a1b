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
        try session.pending.withLock { $0[digest]?.size } ?? session.store.blobs.size(of: digest)
    }

    public func readContent(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let staged = session.pending.withLock({ $0[digest] }) else {
            return try session.store.blobs.readContent(digest, size: size, body)
        }
        let file = try during("read the content \(digest)") { () throws(SystemError) in
            try session.staging.directory.open(staged.name, [.readOnly, .noFollow])
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
}

extension StoreSession {
    /// Everything that can be read while the session goes on.
    public var contents: StagedContents { StagedContents(self) }
}
