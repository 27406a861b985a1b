import Digests
import ImageTransport
import LayerStore
import Posix
import Trees

/// Takes the contents of a layer into the store while it is read, and keeps what else its tar has.
final class StagingIntake: LayerIntake {
    private let session: StoreSession
    private let queue: StagingQueue
    private let others: IncomingContent
    private let compressor: SkeletonOthers
    private var current: IncomingContent?
    private let pool: WorkerPool
    /// How many bytes of contents came.
    private var taken: UInt64 = 0
    /// When so many came, the disk gets what is there, so that less is left for the end: after 64 MiB, and then each time after as much again.
    private var nextFlush: UInt64 = 64 << 20
    private var flush: Background<Void>?

    init(_ session: StoreSession, pool: WorkerPool = WorkerPool()) throws {
        self.session = session
        self.pool = pool
        queue = StagingQueue(session)
        let others = IncomingContent(session)
        self.others = others
        compressor = try SkeletonOthers { try others.write($0) }
    }

    func beginContent(_ metadata: Metadata, size: UInt64) {
        current = IncomingContent(session, metadata: metadata, queue: queue)
    }

    func writeContent(_ piece: UnsafeRawBufferPointer) throws {
        try Interruption.check()
        try current?.write(piece)
    }

    func endContent() throws -> Digest {
        defer { current = nil }
        guard let content = try current?.finish() else { return .empty }
        taken &+= content.size
        if taken >= nextFlush {
            nextFlush = taken &* 2
            try flush?.value()
            flush = Background(pool) { [session] in try session.flush() }
        }
        return content.digest
    }

    func writeOthers(_ piece: UnsafeRawBufferPointer) throws { try compressor.write(piece) }

    /// Waits until all contents are staged.
    func endContents() throws {
        try queue.finish()
        try flush?.value()
    }

    /// Ends the layer.
    ///
    /// - Returns: the skeleton of the tar that was read; nil when layerfs makes the same tar of the tree.
    func finish(_ layer: SourceImage.Layer) throws -> Skeleton? {
        try endContents()
        if layer.isCanonical { return nil }
        try compressor.finish()
        let digest = try others.finish().digest
        return Skeleton(others: digest, size: layer.size, parts: layer.parts, tail: layer.tail)
    }
}

/// Hashes the contents of a layer that the store has already.
final class RereadIntake: LayerIntake {
    private var hasher = DigestHasher()

    func beginContent(_ metadata: Metadata, size: UInt64) { hasher = DigestHasher() }

    func writeContent(_ piece: UnsafeRawBufferPointer) throws {
        try Interruption.check()
        hasher.update(piece)
    }

    func endContent() -> Digest { hasher.finalize() }
    func writeOthers(_ piece: UnsafeRawBufferPointer) {}
}
