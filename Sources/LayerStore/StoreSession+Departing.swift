import Digests
import Posix
import Synchronization
import SystemPackage

/// Of very many contents the first are published while the rest is staged (docs/decisions/0039).
extension StoreSession {
    /// Contents that wait no more and have not got their final names yet.
    struct Leaving: Sendable {
        let staging: StagingArea
        let contents: [Digest: Pending]
    }

    /// The work of publishing them.
    struct Departure {
        let work: OrderedWork<Void, LayerStoreError>
        /// What went wrong with it.
        var fault: LayerStoreError?
    }

    /// Publishes on another thread what waits, and tells the index of it and of `files`. What is staged from now on lies elsewhere: a
    /// directory of contents may be published as it is.
    ///
    /// Nothing may be staged, nor read of what is staged, by another thread meanwhile.
    func beginDeparture(_ files: [SourceFile]) throws(LayerStoreError) {
        // One at a time: what they are is to be kept in memory.
        try awaitDeparture()
        let next = try StagingArea(store.directory)
        let leaving = Leaving(
            staging: area.withLock { area in
                defer { area = next }
                return area
            }, contents: pending.withLock { $0 })
        absentShards?.fill(leaving.contents.keys)
        self.leaving.withLock { $0 = leaving }
        pending.withLock { $0 = [:] }
        store.tamperGuard.forget()
        // Not this session, which would never end.
        let store = store
        departure.withLock { departure in
            let work = OrderedWork<Void, LayerStoreError>(threads: 1)
            work.add { () throws(LayerStoreError) in try Self.publish(leaving, of: files, in: store) }
            departure = Departure(work: work)
        }
    }

    /// Waits until what is leaving is published.
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
        }
        leaving.withLock { $0 = nil }
    }

    private static func publish(
        _ leaving: Leaving, of files: [SourceFile], in store: Store
    ) throws(LayerStoreError) {
        let publisher = ContentPublisher(store: store, staging: leaving.staging)
        try during("write to the store") { () throws(SystemError) in
            try publisher.flush(leaving.contents.values.filter { !$0.isFlushed }.map(\.name))
            try publisher.flushDirectories(publisher.name(leaving.contents))
        }
        try store.whileCommitting { () throws(LayerStoreError) in
            let inodes = store.tamperGuard.takeUnrecorded()
            // Without an index these contents are read once more, and these files.
            try? store.writableIndex?.write("update") { database in
                let rows = try ContentRows(database)
                try InodeFingerprint.record(inodes, rows)
                try remember(files, rows, database)
            }
        }
    }
}
