import Bytes
import Digests
import Posix
import SystemPackage
import Trees

/// A content that was hashed and, unless it is there already, copied into the staging area.
struct ContentCopy: Sendable {
    /// Up to this size a content is read whole before anything of it is written.
    static let smallSize = 1 << 20

    var digest: Digest
    var size: UInt64
    /// Its name in the staging area; nil when the content is there already.
    var name: ByteString?
    /// What its inode is, where that is known.
    var state: InodeFingerprint?
    /// Whether it is to take the place of a damaged blob; nil when that was not looked for.
    var replaces: Bool?

    init(
        digest: Digest, size: UInt64, name: ByteString? = nil, state: InodeFingerprint? = nil, replaces: Bool? = nil
    ) {
        (self.digest, self.size, self.name, self.state, self.replaces) = (digest, size, name, state, replaces)
    }

    /// Copies all of `source` into a new staged file that is ready to be a blob with the inode `metadata`.
    ///
    /// What is hashed is the copy, never the source: the source may change, the copy is ours. On file systems that
    /// can, the copy shares the source's extents and is then read; elsewhere each piece is hashed while it is written.
    static func make(
        of source: borrowing OwnedDescriptor, _ status: FileStatus, in staging: StagingArea, metadata: Metadata
    ) throws(LayerStoreError) -> ContentCopy {
        let name = staging.freshName()
        do {
            let file = try staging.directory.open(name, [.readWrite, .create, .exclusive])
            var hasher = DigestHasher()
            try source.rewind()
            if try staging.reflink(source, on: status.identity.device, to: file) {
                try file.forEachPiece { hasher.update($0) }
            } else {
                try source.forEachPiece { piece in
                    hasher.update(piece)
                    try file.writeAll(piece)
                }
            }
            try InodeMetadata(ofBlob: metadata).apply(to: file)
            let state = InodeFingerprint(try file.status())
            // On its way to the disk while other files are read.
            file.beginWriteback()
            try file.close()
            let size = hasher.count
            return ContentCopy(digest: hasher.finalize(), size: size, name: name, state: state)
        } catch let error as SystemError {
            staging.discard(name)
            throw .system(step: "copy \(source.path) into the store", error)
        } catch let error as LayerStoreError {
            throw error
        } catch {
            throw .damagedRecord(source.path, reason: "\(error)")
        }
    }
}
