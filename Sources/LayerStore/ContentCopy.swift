import Bytes
import Digests
import Posix
import SystemPackage
import Trees

/// A content copied into the staging area and hashed on the way.
struct ContentCopy: Sendable {
    var digest: Digest
    var size: UInt64
    /// Its name in the staging area.
    var name: ByteString

    /// Copies the rest of `source` into a new staged file that is ready to be a blob with the inode `metadata`.
    ///
    /// What is hashed is the copy, never the source: the source may change, the copy is ours. On file systems that
    /// can, the copy shares the source's extents and is then read; elsewhere each piece is hashed while it is written.
    static func make(
        of source: borrowing OwnedDescriptor, in staging: StagingArea, metadata: Metadata
    ) throws(LayerStoreError) -> ContentCopy {
        let name = staging.freshName()
        do {
            let file = try staging.directory.open(name, [.readWrite, .create, .exclusive])
            var hasher = DigestHasher()
            if Self.reflink(source, to: file) {
                try file.forEachPiece { hasher.update($0) }
            } else {
                try source.forEachPiece { piece in
                    hasher.update(piece)
                    try file.writeAll(piece)
                }
            }
            try InodeMetadata(ofBlob: metadata).apply(to: file)
            try file.close()
            let size = hasher.count
            return ContentCopy(digest: hasher.finalize(), size: size, name: name)
        } catch let error as SystemError {
            staging.discard(name)
            throw .system(step: "copy \(source.path) into the store", error)
        } catch let error as LayerStoreError {
            throw error
        } catch {
            throw .damagedRecord(source.path, reason: "\(error)")
        }
    }

    private static func reflink(_ source: borrowing OwnedDescriptor, to file: borrowing OwnedDescriptor) -> Bool {
        do {
            try file.reflink(from: source)
            return true
        } catch {
            return false
        }
    }
}

extension StagingArea {
    /// Forgets a staged file; failing leaves it to be removed with the area.
    func discard(_ name: ByteString) {
        do { try directory.removeFile(name) } catch {}
    }
}
