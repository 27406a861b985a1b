import Bytes
import Digests
import Posix
import Synchronization
import SystemPackage
import Trees

/// Flushes staged contents and gives them their final names.
struct ContentPublisher: Sendable {
    let store: Store
    /// Where they lie until then.
    let staging: StagingArea

    typealias Contents = [Digest: StoreSession.Pending]

    /// The contents of one directory.
    private typealias Part = ArraySlice<(key: Digest, value: StoreSession.Pending)>

    /// Gives flushed contents their final names; the directories that these are in are still to be flushed.
    ///
    /// - Parameter resting: the directories in which others rest, by the first byte of the digests in them.
    /// - Returns: the directories of all.
    func name(_ contents: Contents, resting: Set<UInt8> = []) throws(SystemError) -> Set<ByteString> {
        // The directories one after the other.
        let sorted = contents.sorted { $0.key < $1.key }
        var shards: Set<ByteString> = []
        var start = 0
        for first in UInt8.min...UInt8.max {
            let end = sorted[start...].firstIndex { StoreSession.firstByte($0.key) != first } ?? sorted.count
            let part = sorted[start..<end]
            start = end
            guard !part.isEmpty || resting.contains(first) else { continue }
            let shard = StoreDirectory.shard(first)
            try name(part, shard, haveOthersRested: resting.contains(first))
            shards.insert(shard)
        }
        return shards
    }

    /// The directory of a content, below `blobs/sha256`.
    static func shard(_ digest: Digest) -> ByteString { StoreDirectory.shard(StoreSession.firstByte(digest)) }

    /// Gives the contents of one directory their final names.
    private func name(_ contents: Part, _ shard: ByteString, haveOthersRested: Bool) throws(SystemError) {
        let isWorthMoving = haveOthersRested || contents.contains { $0.value.liesInShard }
        let isMoved = isWorthMoving ? try move(shard) : false
        if !isMoved { try store.directory.blobs.ensureDirectory(shard, mode: StoreDirectory.directoryMode) }
        for (digest, content) in contents {
            let naming = isMoved && content.liesInShard ? .named : try name(content, path: BlobPath.of(digest))
            try note(digest, naming == .named ? content.state : nil)
        }
        if haveOthersRested, !isMoved { try nameRested(in: shard, besides: contents) }
    }

    /// Sees to it that the staged directory `shard` becomes the store's as it is, where it has none yet.
    ///
    /// - Returns: whether it has.
    private func move(_ shard: ByteString) throws(SystemError) -> Bool {
        guard staging.remains.isEmpty else { return false }
        do {
            try staging.directory.rename(shard, to: shard, in: store.directory.blobs, replacing: false)
            return true
        } catch  where [.fileExists, .directoryNotEmpty, .invalidArgument, .noFunction].contains(error.errno) {
            // There is one, or the file system cannot refuse to replace it.
            return false
        }
    }

    /// Gives what rested in a directory that the store has by now its final names, one after the other.
    private func nameRested(in shard: ByteString, besides named: Part) throws(SystemError) {
        let others = Set(named.lazy.map { BlobPath.of($0.key) }).union(staging.remains)
        for entry in try staging.directory.open(shard, [.readOnly, .directory]).names() {
            let path = shard + "/" + entry.name
            guard !others.contains(path), let digest = BlobPath.digest(path) else { continue }
            let status = try staging.directory.status(of: path)
            let content = StoreSession.Pending(name: path, size: status.size)
            // The index knows its state already.
            if try name(content, path: path) == .existed { try note(digest, nil) }
        }
    }

    /// Notes the state in which a content was published; nil for that in which it is.
    func note(_ digest: Digest, _ state: InodeFingerprint?) throws(SystemError) {
        if let state { return store.tamperGuard.published(digest, state) }
        store.tamperGuard.published(
            digest, InodeFingerprint(try store.directory.blobs.status(of: BlobPath.of(digest))))
    }

    enum Naming { case named, existed }

    /// Gives one content its final name.
    func name(_ content: StoreSession.Pending, path: ByteString) throws(SystemError) -> Naming {
        do {
            try staging.directory.rename(content.name, to: path, in: store.directory.blobs, replacing: false)
        } catch  where error.errno == .fileExists {
            // Another command stored the same content meanwhile; a damaged one gives way.
            let isDamaged =
                content.replaces ? true : try store.directory.blobs.status(of: path).size != content.size
            guard isDamaged else { return .existed }
            try staging.directory.rename(content.name, to: path, in: store.directory.blobs, replacing: true)
        } catch  where error.errno == .invalidArgument {
            // RENAME_NOREPLACE is not known to every file system; link(2) does not overwrite either.
            var result = Naming.named
            do {
                try store.directory.blobs.makeLink(path, to: content.name, in: staging.directory)
            } catch  where error.errno == .fileExists {
                result = .existed
            }
            try staging.directory.removeFile(content.name)
            return result
        }
        return .named
    }

    /// The number of files up to which each is flushed by itself; beyond it, one syncfs(2) is cheaper.
    private static let fewFiles = 8

    func flush(_ names: [ByteString]) throws(SystemError) {
        if names.count > Self.fewFiles { return try store.directory.root.syncFileSystem() }
        // All are on their way to the disk before the first is waited for, whose flush then is nearly that of all: the inodes were made
        // together, and a journal writes them together.
        if names.count > 1 { for name in names { try staging.directory.open(name, .readOnly).beginWriteback() } }
        for name in names { try staging.directory.open(name, .readOnly).sync() }
    }

    func flushDirectories(_ shards: Set<ByteString>) throws(SystemError) {
        if shards.isEmpty { return }
        if shards.count > Self.fewFiles { return try store.directory.root.syncFileSystem() }
        for shard in shards { try store.directory.blobs.open(shard, [.readOnly, .directory]).sync() }
        try store.directory.blobs.sync()
    }
}

extension StoreSession.Pending {
    /// Whether it has its final name already, in a directory of the staging area.
    var liesInShard: Bool { StagingArea.liesInShard(name) }
}
