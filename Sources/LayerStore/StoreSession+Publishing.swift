import Bytes
public import Digests
import Posix
import Synchronization
import SystemPackage
import Trees

extension StoreSession {
    /// The contents that wait to be published; not those of very many that were taken from files (``took(_:)``) and only lack a name.
    public var waiting: Set<Digest> {
        pending.withLock { Set($0.keys) }.union(leaving.withLock { Set($0.keys) })
    }

    /// Whether a content is staged and has not got its final name yet.
    func isWaiting(_ digest: Digest) throws(LayerStoreError) -> Bool {
        if pending.withLock({ $0[digest] != nil }) { return true }
        return try hasLeft(digest)
    }

    /// Flushes everything staged so far, so that ``publish()`` only has to name it. What is staged can be read meanwhile.
    public func flush() throws(LayerStoreError) {
        // Not a part of the dictionary, which would be the whole of it, and be copied by the first change.
        let unflushed = pending.withLock {
            $0.lazy.filter { !$0.value.isFlushed }.map { (digest: $0.key, name: $0.value.name) }
        }
        do {
            try publisher.flush(unflushed.map(\.name))
        } catch {
            throw .system(step: "write to the store", error)
        }
        pending.withLock { pending in
            for (digest, _) in unflushed { pending[digest]?.isFlushed = true }
        }
    }

    /// Flushes what is staged where that is much, so that what is done next waits for little.
    func flushMuch() throws(LayerStoreError) {
        let size = pending.withLock { $0.values.reduce(UInt64(0)) { $1.isFlushed ? $0 : $0 &+ $1.size } }
        if size > Self.little { try flush() }
    }

    private static let little: UInt64 = 16 << 20

    /// Makes everything staged so far a durable part of the store.
    ///
    /// - Parameter isNamed: whether names of layers stand already for all that was there: then it was flushed before it was named, and
    ///   only the names are flushed, which another command may have given a moment ago.
    /// - Returns: the contents that waited: see ``waiting``.
    @discardableResult
    public func publish(isNamed: Bool = false) throws(LayerStoreError) -> [Digest] {
        try awaitDeparture()
        try flush()
        let (staged, restingShards) = (takePending(), resting.shards)
        absentShards?.fill(restingShards.union(staged.keys.lazy.map(Self.firstByte)))
        let reused = reused.withLock { shards in
            defer { shards = [] }
            return shards
        }
        do throws(SystemError) {
            let shards = try publisher.name(staged, resting: restingShards)
            // A content that was there may have been named a moment ago by a command that has not flushed it yet, or never
            // will: whoever relies on it flushes its name, too.
            let relied = isNamed ? [] : reused.map { StoreDirectory.shard($0) }
            try publisher.flushDirectories(shards.union(relied))
            resting.removeAll()
        } catch {
            throw .system(step: "write to the store", error)
        }
        if isNamed { try store.references.flush(.layer) }
        return Array(staged.keys)
    }

    private var publisher: ContentPublisher { ContentPublisher(store: store, staging: staging) }

    /// What waits, which then waits no more.
    private func takePending() -> [Digest: Pending] {
        pending.withLock { pending in
            defer { pending = [:] }
            return pending
        }
    }
}
