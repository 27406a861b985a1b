import Bytes
public import Digests
import Posix
import Synchronization
import SystemPackage
import Trees

extension StoreSession {
    /// The contents that wait to be published.
    public var waiting: Set<Digest> { pending.withLock { Set($0.keys) } }

    /// Flushes everything staged so far, so that ``publish()`` only has to name it. What is staged can be read meanwhile.
    public func flush() throws(LayerStoreError) {
        // Not a part of the dictionary, which would be the whole of it, and be copied by the first change.
        let unflushed = pending.withLock {
            $0.lazy.filter { !$0.value.isFlushed }.map { (digest: $0.key, name: $0.value.name) }
        }
        do {
            try flush(unflushed.map(\.name))
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
    /// - Returns: the contents that waited. Of very many that were taken from files, most were published before (``took(_:)``).
    @discardableResult
    public func publish(isNamed: Bool = false) throws(LayerStoreError) -> [Digest] {
        try flush()
        // The directories of contents one after the other.
        let staged = takePending().sorted { $0.key < $1.key }
        let reused = reused.withLock { shards in
            defer { shards = [] }
            return shards
        }
        do throws(SystemError) {
            var shards: Set<ByteString> = []
            var start = 0
            while start < staged.count {
                let shard = Self.shard(staged[start].key)
                let end = staged[start...].firstIndex { Self.shard($0.key) != shard } ?? staged.count
                absentShards?.fill(Self.firstByte(staged[start].key))
                try name(staged[start..<end], shard)
                shards.insert(shard)
                start = end
            }
            // A content that was there may have been named a moment ago by a command that has not flushed it yet, or never
            // will: whoever relies on it flushes its name, too.
            let relied = isNamed ? [] : reused.map { StoreDirectory.shard($0) }
            try flushDirectories(shards.union(relied))
        } catch {
            throw .system(step: "write to the store", error)
        }
        if isNamed { try store.references.flush(.layer) }
        return staged.map(\.key)
    }

    /// What waits, which then waits no more.
    private func takePending() -> [Digest: Pending] {
        pending.withLock { pending in
            defer { pending = [:] }
            return pending
        }
    }

    /// The directory of a content, below `blobs/sha256`.
    static func shard(_ digest: Digest) -> ByteString { digest.withUnsafeBytes { StoreDirectory.shard($0[0]) } }

    /// Gives the contents of one directory their final names.
    private func name(_ contents: ArraySlice<(key: Digest, value: Pending)>, _ shard: ByteString) throws(SystemError) {
        let isMoved = try move(shard, contents.lazy.filter { $0.value.liesInShard }.count)
        for (digest, content) in contents {
            let path = BlobPath.of(digest)
            var state = content.state
            if !(isMoved && content.liesInShard), try name(content, path: path) == .existed { state = nil }
            if let state {
                store.tamperGuard.published(digest, state)
            } else {
                store.tamperGuard.published(digest, InodeFingerprint(try store.directory.blobs.status(of: path)))
            }
        }
    }

    /// Sees to it that there is the directory `shard` of blobs: by giving it the staged one as it is, in a store that has none yet, else
    /// by making it.
    ///
    /// - Returns: whether it is the staged one.
    private func move(_ shard: ByteString, _ count: Int) throws(SystemError) -> Bool {
        if count > 0, !staging.hasRemains.load(ordering: .relaxed) {
            do {
                try staging.directory.rename(shard, to: shard, in: store.directory.blobs, replacing: false)
                return true
            } catch  where [.fileExists, .directoryNotEmpty, .invalidArgument, .noFunction].contains(error.errno) {
                // There is one, or the file system cannot refuse to replace it.
            }
        }
        try store.directory.blobs.ensureDirectory(shard, mode: StoreDirectory.directoryMode)
        return false
    }

    private enum Naming { case named, existed }

    private func name(_ content: Pending, path: ByteString) throws(SystemError) -> Naming {
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

    private func flush(_ names: [ByteString]) throws(SystemError) {
        if names.count > Self.fewFiles { return try store.directory.root.syncFileSystem() }
        // All are on their way to the disk before the first is waited for, whose flush then is nearly that of all: the inodes were made
        // together, and a journal writes them together.
        if names.count > 1 { for name in names { try staging.directory.open(name, .readOnly).beginWriteback() } }
        for name in names { try staging.directory.open(name, .readOnly).sync() }
    }

    private func flushDirectories(_ shards: Set<ByteString>) throws(SystemError) {
        if shards.isEmpty { return }
        if shards.count > Self.fewFiles { return try store.directory.root.syncFileSystem() }
        for shard in shards { try store.directory.blobs.open(shard, [.readOnly, .directory]).sync() }
        try store.directory.blobs.sync()
    }
}

extension StoreSession.Pending {
    /// Whether it has its final name already, in a directory of the staging area.
    fileprivate var liesInShard: Bool { name.count > 2 && name.bytes[2] == UInt8(ascii: "/") }
}
