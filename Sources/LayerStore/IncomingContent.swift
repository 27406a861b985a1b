import Bytes
public import Digests
import Posix
import Synchronization
public import Trees

/// A content that comes in pieces, on its way into the store.
///
/// A small one is held in memory until its digest is known: what the store has already is then not written at all.
public final class IncomingContent {
    private let session: StoreSession
    private let inode: InodeMetadata
    private let queue: StagingQueue?
    private var held: [UInt8] = []
    private var hasher = DigestHasher()
    private var file: StagedCopy?

    /// - Parameters:
    ///   - metadata: of the entry that brings the content; its inode gets as much of it as others may share.
    ///   - queue: does the writing; nil to write at once.
    public init(_ session: StoreSession, metadata: Metadata = Metadata(mode: 0o444), queue: StagingQueue? = nil) {
        (self.session, self.queue) = (session, queue)
        inode = InodeMetadata(ofBlob: metadata)
    }

    /// Takes the next bytes.
    public func write(_ piece: UnsafeRawBufferPointer) throws(LayerStoreError) {
        hasher.update(piece)
        if file == nil, held.count + piece.count <= ContentCopy.smallSize {
            return held.append(contentsOf: piece)
        }
        let file = try staged()
        if !held.isEmpty { try write(held, to: file) }
        held = []
        try write(Array(piece), to: file)
    }

    private func staged() throws(LayerStoreError) -> StagedCopy {
        if let file { return file }
        let made = try StagedCopy(session.staging)
        file = made
        return made
    }

    private func write(_ bytes: [UInt8], to file: StagedCopy) throws(LayerStoreError) {
        try perform { () throws(LayerStoreError) in try file.write(bytes) }
    }

    /// Ends the content.
    ///
    /// - Returns: its digest and size; it waits to be published when the queue is finished, unless the store has it.
    @discardableResult
    public func finish() throws(LayerStoreError) -> (digest: Digest, size: UInt64) {
        let size = hasher.count
        let digest = hasher.finalize()
        hasher = DigestHasher()
        if let file {
            let (session, inode) = (session, inode)
            try perform { () throws(LayerStoreError) in
                _ = try session.keep(file.finish(inode, digest: digest, size: size))
            }
        } else if size > 0 {
            let content = StagingQueue.Small(bytes: held, digest: digest, inode: inode)
            if let queue { try queue.add(content) } else { try session.take(content) }
        }
        (held, file) = ([], nil)
        return (digest, size)
    }

    private func perform(_ job: @escaping @Sendable () throws(LayerStoreError) -> Void) throws(LayerStoreError) {
        if let queue { try queue.add(job) } else { try job() }
    }
}

/// A file of the staging area that is written in pieces; removed again unless it is finished.
private final class StagedCopy: Sendable {
    private let staging: StagingArea
    private let name: ByteString
    private let file: OwnedDescriptor
    private let isFinished = Atomic(false)

    init(_ staging: StagingArea) throws(LayerStoreError) {
        let name = staging.freshName()
        (self.staging, self.name) = (staging, name)
        file = try during("write to the store") { () throws(SystemError) in
            try staging.directory.open(name, [.writeOnly, .create, .exclusive])
        }
    }

    deinit { if !isFinished.load(ordering: .relaxed) { staging.discard(name) } }

    func write(_ bytes: [UInt8]) throws(LayerStoreError) {
        try during("write to the store") { () throws(SystemError) in try file.writeAll(bytes) }
    }

    /// Makes the file ready to be a blob.
    func finish(_ inode: InodeMetadata, digest: Digest, size: UInt64) throws(LayerStoreError) -> ContentCopy {
        let state = try during("write to the store") { () throws(SystemError) in
            try inode.apply(to: file)
            // On its way to the disk while others are taken in.
            file.beginWriteback()
            return InodeFingerprint(try file.status())
        }
        isFinished.store(true, ordering: .relaxed)
        return ContentCopy(digest: digest, size: size, name: name, state: state)
    }
}
