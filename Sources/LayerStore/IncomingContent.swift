import Bytes
public import Digests
import Posix
public import Trees

/// A content that comes in pieces, on its way into the store.
///
/// A small one is held in memory until its digest is known: what the store has already is then not written at all.
public final class IncomingContent {
    private static let memoryLimit = 1 << 20

    private let session: StoreSession
    private let metadata: Metadata
    private var held: [UInt8] = []
    private var hasher = DigestHasher()
    private var file: StagedCopy?

    /// - Parameter metadata: of the entry that brings the content; its inode gets as much of it as others may share.
    public init(_ session: StoreSession, metadata: Metadata = Metadata(mode: 0o444)) {
        (self.session, self.metadata) = (session, metadata)
    }

    /// Takes the next bytes.
    public func write(_ piece: UnsafeRawBufferPointer) throws(LayerStoreError) {
        hasher.update(piece)
        if file == nil, held.count + piece.count <= Self.memoryLimit { return held.append(contentsOf: piece) }
        let file = try staged()
        try file.write(held)
        held = []
        try file.write(piece)
    }

    private func staged() throws(LayerStoreError) -> StagedCopy {
        if let file { return file }
        let made = try StagedCopy(session.staging)
        file = made
        return made
    }

    /// Ends the content.
    ///
    /// - Returns: its digest and size; it waits to be published now, unless the store has it.
    @discardableResult
    public func finish() throws(LayerStoreError) -> (digest: Digest, size: UInt64) {
        let size = hasher.count
        let digest = hasher.finalize()
        hasher = DigestHasher()
        if file == nil, try session.contains(digest, size: size) { return (digest, size) }
        let file = try staged()
        try file.write(held)
        _ = try session.keep(ContentCopy(digest: digest, size: size, name: file.finish(metadata)))
        return (digest, size)
    }
}

/// A file of the staging area that is written in pieces; removed again unless it is finished.
private final class StagedCopy {
    private let staging: StagingArea
    private let name: ByteString
    private let file: OwnedDescriptor
    private var isFinished = false

    init(_ staging: StagingArea) throws(LayerStoreError) {
        let name = staging.freshName()
        (self.staging, self.name) = (staging, name)
        file = try during("write to the store") { () throws(SystemError) in
            try staging.directory.open(name, [.writeOnly, .create, .exclusive])
        }
    }

    deinit { if !isFinished { staging.discard(name) } }

    func write(_ piece: UnsafeRawBufferPointer) throws(LayerStoreError) {
        try during("write to the store") { () throws(SystemError) in try file.writeAll(piece) }
    }

    func write(_ bytes: [UInt8]) throws(LayerStoreError) {
        if bytes.isEmpty { return }
        try during("write to the store") { () throws(SystemError) in try file.writeAll(bytes) }
    }

    /// Makes the file ready to be a blob; its name in the staging area.
    func finish(_ metadata: Metadata) throws(LayerStoreError) -> ByteString {
        try during("write to the store") { () throws(SystemError) in
            try InodeMetadata(ofBlob: metadata).apply(to: file)
        }
        isFinished = true
        return name
    }
}
