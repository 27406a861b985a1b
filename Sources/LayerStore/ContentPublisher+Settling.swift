import Bytes
import Digests
import Posix
import SystemPackage
import Trees

/// What becomes of contents while others are staged (docs/decisions/0040).
extension ContentPublisher {
    /// Lets flushed contents for which the store lacked a directory rest in the staging area under their final names. All others are
    /// given these; the directories that they are in are still to be flushed.
    ///
    /// - Returns: these directories, and what rests.
    func settle(
        _ contents: Contents, _ absentShards: AbsentShards?
    ) throws(SystemError) -> (shards: Set<ByteString>, resting: [Digest]) {
        var others: Contents = [:]
        var resting: [Digest] = []
        for (digest, content) in contents {
            let isAbsent = try absentShards?.contains(StoreSession.firstByte(digest))
            let rests = isAbsent == true && !content.replaces ? try settle(content, BlobPath.of(digest)) : false
            if !rests {
                others[digest] = content
                continue
            }
            resting.append(digest)
            if let state = content.state {
                store.tamperGuard.published(digest, state)
            } else {
                let status = try staging.directory.status(of: BlobPath.of(digest))
                store.tamperGuard.published(digest, InodeFingerprint(status))
            }
        }
        return (try nameAlone(others), resting)
    }

    /// - Returns: false where another lies there, which is about to be forgotten, or the file system cannot refuse to replace it.
    private func settle(_ content: StoreSession.Pending, _ path: ByteString) throws(SystemError) -> Bool {
        if content.liesInShard { return true }
        func rename() throws(SystemError) {
            try staging.directory.rename(content.name, to: path, in: staging.directory, replacing: false)
        }
        do {
            do {
                try rename()
            } catch  where error.errno == .noSuchFileOrDirectory {
                let shard = ByteString(path.bytes.prefix(2))
                try staging.directory.ensureDirectory(shard, mode: StoreDirectory.directoryMode)
                try rename()
            }
            return true
        } catch  where [.fileExists, .invalidArgument].contains(error.errno) {
            return false
        }
    }

    /// Gives contents their final names, and no directory as a whole: others may be staged there.
    private func nameAlone(_ contents: Contents) throws(SystemError) -> Set<ByteString> {
        var shards: Set<ByteString> = []
        for (digest, content) in contents.sorted(by: { $0.key < $1.key }) {
            let shard = Self.shard(digest)
            if shards.insert(shard).inserted {
                try store.directory.blobs.ensureDirectory(shard, mode: StoreDirectory.directoryMode)
            }
            try note(digest, name(content, path: BlobPath.of(digest)) == .named ? content.state : nil)
        }
        return shards
    }
}
