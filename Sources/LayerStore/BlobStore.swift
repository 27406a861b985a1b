import Bytes
public import Digests
import Posix
import SystemPackage
public import Trees

/// The contents of a store, each once, named by its digest.
public struct BlobStore: ContentSource, Sendable {
    let store: StoreDirectory
    let volatile = VolatileContents()

    init(store: StoreDirectory) { self.store = store }

    /// The size of the blob `digest`; nil when the store has none.
    public func size(of digest: Digest) throws(LayerStoreError) -> UInt64? {
        try status(of: digest)?.size
    }

    func status(of digest: Digest) throws(LayerStoreError) -> FileStatus? {
        do {
            return try store.blobs.status(of: BlobPath.of(digest))
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .system(step: "examine the content \(digest)", error)
        }
    }

    /// Opens the blob for reading. What it holds is not checked yet.
    func open(_ digest: Digest, wantedBy user: @autoclosure () -> String) throws(LayerStoreError) -> OwnedDescriptor {
        do {
            return try store.blobs.open(BlobPath.of(digest), [.readOnly, .noFollow])
        } catch  where error.errno == .noSuchFileOrDirectory {
            throw .missingBlob(digest, wantedBy: user())
        } catch {
            throw .system(step: "open the content \(digest)", error)
        }
    }

    /// The whole of a small blob, checked.
    ///
    /// - Parameter limit: the most bytes that it may have.
    public func bytes(
        of digest: Digest, limit: Int, wantedBy user: @autoclosure () -> String
    ) throws(LayerStoreError) -> [UInt8] {
        if let bytes = volatile[digest] { return bytes }
        let file = try open(digest, wantedBy: user())
        let bytes = try during("read the content \(digest)") { () throws(SystemError) in
            try file.readAll(limit: limit)
        }
        guard Digest(hashing: bytes) == digest else {
            throw .damagedBlob(digest, path: file.path, found: "has other bytes")
        }
        return bytes
    }

    /// Streams the blob and checks it on the way; `body` must make nothing final of what it got when this throws.
    public func readContent(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if size == 0 { return }
        if let bytes = volatile[digest] { return try bytes.withUnsafeBytes(body) }
        let file = try open(digest, wantedBy: "a layer")
        var hasher = DigestHasher()
        try file.forEachPiece { piece in
            hasher.update(piece)
            guard hasher.count <= size else {
                throw LayerStoreError.damagedBlob(digest, path: file.path, found: "is longer than \(size) bytes")
            }
            try body(piece)
        }
        guard hasher.count == size else {
            throw LayerStoreError.damagedBlob(
                digest, path: file.path, found: "has \(hasher.count) bytes instead of \(size)")
        }
        let found = hasher.finalize()
        guard found == digest else {
            throw LayerStoreError.damagedBlob(digest, path: file.path, found: "has the digest \(found)")
        }
    }
}

extension OwnedDescriptor {
    /// Reads to the end in pieces of up to 1 MiB, which hash at full speed and stay in the processor's cache.
    borrowing func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let expected = try Int(clamping: status().size)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(max(expected, 4095), (1 << 20) - 1) + 1, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try read(into: buffer)
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
