import Digests
import Posix

/// Takes contents into a session on a thread of its own, in the order in which they come, while this one goes on.
///
/// What goes wrong is thrown by a later call, at the latest by ``finish()``.
public final class StagingQueue {
    /// Small contents are handed over in batches of this many bytes, or contents.
    private static let batchSize = 256 << 10
    private static let batchCount = 64
    /// How many jobs may be under way: a few MiB.
    private static let window = 16

    /// A content in memory.
    struct Small: Sendable {
        var bytes: [UInt8]
        var digest: Digest
        var inode: InodeMetadata
    }

    private let session: StoreSession
    private let work: OrderedWork<Void, LayerStoreError>
    private var batch: [Small] = []
    private var size = 0

    public init(_ session: StoreSession) {
        self.session = session
        work = OrderedWork(threads: 1)
    }

    func add(_ content: Small) throws(LayerStoreError) {
        batch.append(content)
        size += content.bytes.count
        if size >= Self.batchSize || batch.count == Self.batchCount { try endBatch() }
    }

    func add(_ job: @escaping @Sendable () throws(LayerStoreError) -> Void) throws(LayerStoreError) {
        if work.count == Self.window { _ = try work.next() }
        work.add(job)
    }

    /// Waits until all contents are staged.
    public func finish() throws(LayerStoreError) {
        try endBatch()
        while try work.next() != nil {}
    }

    private func endBatch() throws(LayerStoreError) {
        if batch.isEmpty { return }
        let (session, contents) = (session, batch)
        batch = []
        size = 0
        try add { () throws(LayerStoreError) in
            for content in contents { try session.take(content) }
        }
    }
}

extension StoreSession {
    /// Stages a content of at most ``ContentCopy/smallSize`` bytes, unless the store has it.
    func take(_ content: StagingQueue.Small) throws(LayerStoreError) {
        _ = try keep(
            stage(
                content.bytes, digest: content.digest, mode: content.inode.mode,
                modified: content.inode.modified.fileTime))
    }
}
