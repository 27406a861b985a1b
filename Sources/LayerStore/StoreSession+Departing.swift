import Digests
import Posix
import Synchronization

/// Of very many contents the first are flushed while the rest is staged (docs/decisions/0040).
extension StoreSession {
    /// The work of publishing contents that wait no more.
    struct Departure {
        let work: OrderedWork<Void, LayerStoreError>
        /// What went wrong with it.
        var fault: LayerStoreError?
    }

    /// Whether a content has left what is pending and has not got its final name yet.
    func hasLeft(_ digest: Digest) throws(LayerStoreError) -> Bool {
        if leaving.withLock({ $0[digest] != nil }) { return true }
        return try resting.status(of: digest, in: staging) != nil
    }

    /// Flushes on another thread what waits, and notes it and `files` for the index. What the store has no directory for rests in the
    /// staging area, in a directory that becomes the store's as a whole; all else gets its name. Other threads may stage and read
    /// meanwhile.
    func beginDeparture(_ files: [SourceFile]) throws(LayerStoreError) {
        // One at a time: what they are is to be kept in memory.
        try awaitDeparture()
        let contents = pending.withLock { pending in
            defer { pending = [:] }
            // Before it leaves there: it is looked for here next.
            leaving.withLock { $0 = pending }
            return pending
        }
        store.tamperGuard.forget()
        // Not this session, which would never end.
        let (store, staging, resting, absentShards, log) = (store, staging, resting, absentShards, log)
        departure.withLock { departure in
            let work = OrderedWork<Void, LayerStoreError>(threads: 1)
            work.add { () throws(LayerStoreError) in
                let publisher = ContentPublisher(store: store, staging: staging)
                try during("write to the store") { () throws(SystemError) in
                    try publisher.flush(contents.values.filter { !$0.isFlushed }.map(\.name))
                    let settled = try publisher.settle(contents, absentShards)
                    try publisher.flushDirectories(settled.shards)
                    resting.add(settled.resting)
                    try log.append(store.tamperGuard.takeUnrecorded(), files, in: staging)
                }
            }
            departure = Departure(work: work)
        }
    }

    /// Waits until what is leaving is published, or rests.
    ///
    /// - Throws: what went wrong with it, each time: nothing can be named any more then.
    func awaitDeparture() throws(LayerStoreError) {
        try departure.withLock { (departure) throws(LayerStoreError) in
            if let fault = departure?.fault { throw fault }
            do throws(LayerStoreError) {
                _ = try departure?.work.next()
                departure = nil
            } catch {
                departure?.fault = error
                throw error
            }
            leaving.withLock { $0 = [:] }
        }
    }

    /// Tells the index of what has left, and of the files that it was taken from. Safe to call while other threads read what is staged,
    /// and stage documents.
    ///
    /// Of a content that does not get its name in the end the index knows something that nobody asks for.
    public func recordDepartures() throws(LayerStoreError) {
        try awaitDeparture()
        if log.isEmpty { return }
        try store.whileCommitting { () throws(LayerStoreError) in
            // Without an index these contents are read once more, and these files.
            try? store.writableIndex?.write("update") { try log.write(to: $0) }
        }
        log.removeAll()
    }
}
