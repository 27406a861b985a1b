import Bytes
public import Digests
import Posix
import SystemPackage
public import Trees

/// The contents of a store, each once, named by its digest, and those of its further stores.
public struct BlobStore: ContentSource, Sendable {
    let store: StoreDirectory
    let volatile = VolatileContents()
    /// Further stores, in which contents are looked up that this one lacks.
    var further: [StoreDirectory] = []
    /// Those that are not there.
    var absent: [ByteString] = []

    init(store: StoreDirectory, further: [StoreDirectory] = [], absent: [ByteString] = []) {
        (self.store, self.further, self.absent) = (store, further, absent)
    }

    /// Where a content lies.
    struct Place {
        /// The store itself, or a further one.
        var home: StoreDirectory
        var status: FileStatus
        var isOwn: Bool
    }

    /// Where the content `digest` lies; nil when no store has it.
    func find(_ digest: Digest) throws(LayerStoreError) -> Place? {
        for home in [store] + further {
            do {
                let status = try home.blobs.status(of: BlobPath.of(digest))
                return Place(home: home, status: status, isOwn: home === store)
            } catch  where error.errno == .noSuchFileOrDirectory {
                continue
            } catch {
                throw .system(step: "examine the content \(digest)", error)
            }
        }
        return nil
    }

    /// The path of the content `digest`, for messages.
    func path(of digest: Digest) -> ByteString {
        ((try? find(digest))??.home ?? store).path + "/blobs/sha256/" + BlobPath.of(digest)
    }

    func missing(_ digest: Digest, wantedBy user: String) -> LayerStoreError {
        absent.isEmpty
            ? .missingBlob(digest, wantedBy: user) : .blobElsewhere(digest, wantedBy: user, absent: absent)
    }

    /// The size of the blob `digest`; nil when the store has none.
    public func size(of digest: Digest) throws(LayerStoreError) -> UInt64? {
        try status(of: digest)?.size
    }

    func status(of digest: Digest) throws(LayerStoreError) -> FileStatus? {
        try find(digest)?.status
    }

    /// Opens the blob for reading. What it holds is not checked yet.
    func open(_ digest: Digest, wantedBy user: @autoclosure () -> String) throws(LayerStoreError) -> OwnedDescriptor {
        for home in [store] + further {
            do {
                return try home.blobs.open(BlobPath.of(digest), [.readOnly, .noFollow])
            } catch  where error.errno == .noSuchFileOrDirectory {
                continue
            } catch {
                throw .system(step: "open the content \(digest)", error)
            }
        }
        throw missing(digest, wantedBy: user())
    }

    /// The whole of a small blob, checked.
    ///
    /// - Parameter limit: the most bytes that it may have.
    public func bytes(
        of digest: Digest, limit: Int, wantedBy user: @autoclosure () -> String
    ) throws(LayerStoreError) -> [UInt8] {
        if let bytes = volatile[digest] { return bytes }
        let file = try open(digest, wantedBy: user())
        let bytes = try Self.read(file, digest, limit: limit)
        guard Digest(hashing: bytes) == digest else {
            throw .damagedBlob(digest, path: file.path, found: "has other bytes")
        }
        return bytes
    }

    /// The same, not checked: for who checks what the bytes are a part of.
    func uncheckedBytes(
        of digest: Digest, limit: Int, wantedBy user: @autoclosure () -> String
    ) throws(LayerStoreError) -> [UInt8] {
        try Self.read(open(digest, wantedBy: user()), digest, limit: limit)
    }

    private static func read(
        _ file: borrowing OwnedDescriptor, _ digest: Digest, limit: Int
    ) throws(LayerStoreError) -> [UInt8] {
        try during("read the content \(digest)") { () throws(SystemError) in try file.readAll(limit: limit) }
    }

    /// Streams the blob and checks it on the way; `body` must make nothing final of what it got when this throws.
    public func readContent(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var hasher = DigestHasher()
        let path = try read(digest, size: size) { piece in
            hasher.update(piece)
            try body(piece)
        }
        guard let path else { return }
        let found = hasher.finalize()
        guard found == digest else {
            throw LayerStoreError.damagedBlob(digest, path: path, found: "has the digest \(found)")
        }
    }

    public func readUnchecked(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        _ = try read(digest, size: size, body)
    }

    /// Streams the blob and checks its size.
    ///
    /// - Returns: where it lies; nil for what was not read from there.
    private func read(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> ByteString? {
        if size == 0 { return nil }
        if let bytes = volatile[digest] {
            try bytes.withUnsafeBytes(body)
            return nil
        }
        let file = try open(digest, wantedBy: "a layer")
        var count: UInt64 = 0
        try file.forEachPiece(expecting: size) { piece in
            count += UInt64(piece.count)
            guard count <= size else {
                throw LayerStoreError.damagedBlob(digest, path: file.path, found: "is longer than \(size) bytes")
            }
            try body(piece)
        }
        guard count == size else {
            throw LayerStoreError.damagedBlob(digest, path: file.path, found: "has \(count) bytes instead of \(size)")
        }
        return file.path
    }
}

extension OwnedDescriptor {
    /// Reads to the end in pieces of up to 1 MiB, which hash at full speed and stay in the processor's cache.
    borrowing func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try forEachPiece(expecting: status().size, body)
    }

    /// The same of a file that should have `size` bytes: one that has as many is not asked for its status, or for more.
    borrowing func forEachPiece(expecting size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let expected = Int(clamping: size)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(max(expected, 4095), (1 << 20) - 1) + 1, alignment: 64)
        defer { buffer.deallocate() }
        var total = 0
        while true {
            let count = try read(into: buffer)
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            total += count
            // There was room for more: this was all.
            if total == expected, count < buffer.count { return }
        }
    }
}
