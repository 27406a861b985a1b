import Bytes
import Digests
import Foundation
import GRDB
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
        let exists = try during("look for the index") { () throws(SystemError) in
            try directory.root.contains(Self.fileName)
        }
        do throws(LayerStoreError) {
            let index = try LayerIndex(path: path, access: .changing, stamp: IndexStamp(store: directory))
            guard exists else {
                try index.create()
                directory.shareWithGroup(Self.fileName, in: directory.root)
                return index
            }
            guard try index.agreesWithStamp() else { return nil }
            try index.migrate()
            return index
        } catch .index {
            return nil
        }
    }

    /// The index, to be read; nil when there is none that can be believed, or that of another version of this program.
    func openForReading() -> LayerIndex? {
        guard let index = openUnverified(), (try? index.agreesWithStamp()) == true, (try? index.hasOwnTables()) == true
        else { return nil }
        return index
    }

    /// The index, to be looked into whatever it holds; nil when SQLite refuses it.
    func openUnverified() -> LayerIndex? {
        try? LayerIndex(path: path, access: .reading, stamp: IndexStamp(store: directory))
    }

    /// Makes the index anew from blobs and references, beside the old one, and puts it in its place.
    ///
    /// The caller has the store for itself: whoever had the old file open would go on writing to it, under a journal that has the
    /// name of the new one's.
    ///
    /// - Parameter verifying: read every content, and remember the inodes of those that are good; otherwise what the old index
    ///   remembers of inodes is kept, as far as it can be read.
    /// - Throws: ``LayerStoreError`` when a document that a name reaches is missing or damaged; the old index stays then.
    func rebuild(from store: Store, verifying: Bool) throws(LayerStoreError) {
        let staging = try StagingArea(directory)
        let index = try LayerIndex(path: staging.directory.path + "/" + Self.fileName, access: .changing)
        try index.create()
        try IndexUpdate(store, index).synchronise()
        let states = try verifying ? verifiedInodes(index, store) : rememberedInodes()
        try index.write("update") { try InodeFingerprint.record(states, ContentRows($0)) }
        let digest = try index.fileDigest()
        try index.close()
        directory.shareWithGroup(Self.fileName, in: staging.directory)
        try during("replace the index") { () throws(SystemError) in
            try staging.directory.open(Self.fileName, .readOnly).sync()
            // A journal of the old file must not be rolled back into the new one.
            do throws(SystemError) {
                try directory.root.removeFile(Self.fileName + "-journal")
                try directory.root.sync()
            } catch  where error.errno == .noSuchFileOrDirectory {}
            try staging.directory.rename(Self.fileName, to: Self.fileName, in: directory.root, replacing: true)
            try directory.root.sync()
        }
        IndexStamp(store: directory).write(digest)
    }

    /// The inodes of all contents in `index` that are what their names say.
    private func verifiedInodes(_ index: LayerIndex, _ store: Store) throws(LayerStoreError) -> [Digest:
        InodeFingerprint]
    {
        let digests = try index.read("read") { try Data.fetchAll($0, sql: "SELECT digest FROM blobs") }
            .compactMap { Digest(bytes: $0) }
        let found = WorkerPool().map(digests.count) { position -> (Digest, InodeFingerprint)? in
            let digest = digests[position]
            // What is missing or damaged is told by fsck; it is not remembered as good.
            guard let file = try? store.blobs.open(digest, wantedBy: "a layer"), let status = try? file.status(),
                (try? file.contentFault(digest)) == .some(nil)
            else { return nil }
            return (digest, InodeFingerprint(status))
        }
        return Dictionary(found.compactMap { $0 }, uniquingKeysWith: { first, _ in first })
    }

    /// What the index as it is remembers of inodes. That it is damaged does no harm: a wrong fingerprint makes a content be
    /// read, and never hides a change.
    private func rememberedInodes() -> [Digest: InodeFingerprint] {
        (try? LayerIndex(path: path, access: .reading).read("read") { try InodeFingerprint.all($0) }) ?? [:]
    }
}
