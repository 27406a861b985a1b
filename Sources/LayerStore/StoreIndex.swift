import Bytes
import Digests
import Posix
import SystemPackage

/// Opening and rebuilding the index of a store.
struct StoreIndex {
    static let fileName: ByteString = "index.sqlite"
    let directory: StoreDirectory

    private var path: ByteString { directory.path + "/" + Self.fileName }

    /// The index, to be written; nil when it is not as the last commit left it. The caller holds the commit lock.
    ///
    /// - Throws: ``LayerStoreError/newerIndex(_:)``; that of an older program is migrated.
    func openForWriting() throws(LayerStoreError) -> LayerIndex? {
        let exists = try during("look for the index") { () throws(SystemError) in try directory.root.contains(Self.fileName) }
        do throws(LayerStoreError) {
            let index = try LayerIndex(path: path, access: .changing, stamp: IndexStamp(store: directory))
            if exists {
                guard try index.agreesWithStamp() else { return nil }
            }
            try index.migrate()
            return index
        } catch .index {
            return nil
        }
    }

    /// The index, to be read; nil when there is none that can be believed.
    func openForReading() -> LayerIndex? {
        guard let index = try? LayerIndex(path: path, access: .reading, stamp: IndexStamp(store: directory)),
            (try? index.agreesWithStamp()) == true, (try? index.checkNotNewer()) != nil
        else { return nil }
        return index
    }

    /// Makes the index anew from blobs and references, beside the old one, and puts it in its place.
    ///
    /// The caller has the store for itself: whoever had the old file open would go on writing to it, under a journal that has the
    /// name of the new one's.
    ///
    /// - Throws: ``LayerStoreError`` when a document that a name reaches is missing or damaged; the old index stays then.
    func rebuild(from store: Store) throws(LayerStoreError) {
        let staging = try StagingArea(directory)
        let index = try LayerIndex(path: staging.directory.path + "/" + Self.fileName, access: .changing)
        try index.migrate()
        try IndexUpdate(store, index).synchronise()
        let digest = try index.fileDigest()
        try index.close()
        try during("replace the index") { () throws(SystemError) in
            try staging.directory.open(Self.fileName, .readOnly).sync()
            // A journal of the old file must not be rolled back into the new one.
            do throws(SystemError) {
                try directory.root.removeFile(Self.fileName + "-journal")
                try directory.root.sync()
            } catch where error.errno == .noSuchFileOrDirectory {}
            try staging.directory.rename(Self.fileName, to: Self.fileName, in: directory.root, replacing: true)
            try directory.root.sync()
        }
        IndexStamp(store: directory).write(digest)
    }
}
