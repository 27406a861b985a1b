public import Bytes
public import Digests
import Posix
import Synchronization
import SystemPackage
import Trees

/// One command's additions to a store: contents are staged, flushed, published, and then named.
///
/// Order of events, so that whatever a finished command reported survives a crash at any instant: every content is copied
/// to the staging area and hashed while it is copied; all are flushed; each gets its final name without overwriting; the
/// directories are flushed; then a reference names the new layer or image, and at last the index learns of it. Ending a
/// session early, or being killed in it, leaves the store as it was but for contents that nothing names.
public final class StoreSession: Sendable {
    let store: Store
    let staging: StagingArea
    let pending = Mutex<[Digest: Pending]>([:])
    /// The directories of contents that were there already.
    private let reused = Mutex<Set<ByteString>>([])

    /// A content that waits to be published.
    struct Pending {
        var name: ByteString
        var size: UInt64
        /// Takes the place of a blob that is damaged.
        var replaces = false
    }

    init(_ store: Store) throws(LayerStoreError) {
        self.store = store
        if let reason = store.directory.readOnlyReason { throw .readOnly(store.path, reason: reason) }
        do {
            staging = try StagingArea(store.directory)
        } catch .system(_, let error) where error.errno == .readOnlyFileSystem || error.errno == .permissionDenied {
            throw .readOnly(store.path, reason: "\(error)")
        }
    }

    /// Takes the regular file at `path` of the host into the store.
    ///
    /// A symbolic link is not followed: the caller has resolved it. Safe to call from several threads.
    ///
    /// - Parameter known: states of files whose digest is known; such a file is not read again.
    /// - Throws: ``LayerStoreError/sourceChanges(_:)`` when the file does not hold still for one of three attempts.
    public func stage(
        file path: ByteString, known: [SourceFingerprint: Digest] = [:]
    ) throws(LayerStoreError) -> SourceFile {
        var earlier: ContentCopy?
        for _ in 0..<3 {
            let begun = FileTime.now
            // O_NONBLOCK: a fifo put in the file's place must not make us wait for its writer.
            let source = try during("read") { () throws(SystemError) in
                try Files.open(path, [.readOnly, .noFollow, .nonBlocking])
            }
            let before = try during("examine") { () throws(SystemError) in try source.status() }
            guard before.kind == .regular else { throw .sourceNotRegular(path) }
            let metadata = Metadata(
                before,
                attributes: try during("read the attributes") { () throws(SystemError) in
                    try source.extendedAttributes()
                })
            let fingerprint = SourceFingerprint(before)
            if let digest = known[fingerprint], try contains(digest, size: before.size) {
                return SourceFile(
                    digest: digest, size: before.size, metadata: metadata, wasCopied: false, fingerprint: fingerprint,
                    begun: begun)
            }
            let copy = try ContentCopy.make(of: source, in: staging, metadata: metadata)
            let after = try during("examine") { () throws(SystemError) in try source.status() }
            // A further hard link changes the time of change (ctime), too: two copies that agree are proof enough then.
            let isSteady =
                SourceFingerprint(after) == fingerprint
                || fingerprint.differsOnlyInChangeTime(SourceFingerprint(after)) && earlier?.digest == copy.digest
            guard isSteady, copy.size == before.size else {
                staging.discard(copy.name)
                earlier = copy
                continue
            }
            let wasCopied = try keep(copy)
            return SourceFile(
                digest: copy.digest, size: copy.size, metadata: metadata, wasCopied: wasCopied,
                fingerprint: fingerprint, begun: begun)
        }
        throw .sourceChanges(path)
    }

    /// Takes `bytes` into the store.
    @discardableResult
    public func stage(bytes: [UInt8], mode: UInt16 = 0o444) throws(LayerStoreError) -> Digest {
        let digest = Digest(hashing: bytes)
        if bytes.isEmpty { return digest }
        if try contains(digest, size: UInt64(bytes.count)) { return digest }
        let name = staging.freshName()
        try during("write to the store") { () throws(SystemError) in
            let file = try staging.directory.open(name, [.writeOnly, .create, .exclusive])
            try file.writeAll(bytes)
            try file.setPermissions(mode)
            try file.close()
        }
        _ = try keep(ContentCopy(digest: digest, size: UInt64(bytes.count), name: name))
        return digest
    }

    /// Whether the content is in the store, or staged by this session.
    func contains(_ digest: Digest, size: UInt64) throws(LayerStoreError) -> Bool {
        if size == 0 || pending.withLock({ $0[digest] != nil }) { return true }
        return try stored(digest, size: size) == .good
    }

    private enum Stored { case absent, good, damaged }

    /// What the store has of a content. One that was changed through a hard link is as good as none.
    private func stored(_ digest: Digest, size: UInt64) throws(LayerStoreError) -> Stored {
        guard let place = try store.blobs.find(digest) else { return .absent }
        // A damaged one of a further store is not ours to replace; a good one here hides it.
        let damaged: Stored = place.isOwn ? .damaged : .absent
        guard place.status.size == size else { return damaged }
        if case .content? = try store.tamperGuard.fault(digest, place.status) { return damaged }
        guard place.isOwn else { return .good }
        reused.withLock { _ = $0.insert(Self.shard(digest)) }
        return .good
    }

    /// Keeps a staged copy for publishing, unless the content is there already. Returns whether it was needed.
    func keep(_ copy: ContentCopy) throws(LayerStoreError) -> Bool {
        // A blob that is damaged will be replaced by the good copy.
        let stored = copy.size == 0 ? .good : try stored(copy.digest, size: copy.size)
        let isNeeded = stored != .good && pending.withLock { $0.insert(copy, replaces: stored == .damaged) }
        if !isNeeded { staging.discard(copy.name) }
        return isNeeded
    }

    /// Makes everything staged so far a durable part of the store.
    ///
    /// - Returns: the contents that are new.
    @discardableResult
    public func publish() throws(LayerStoreError) -> [Digest] {
        let staged = pending.withLock { pending in
            defer { pending = [:] }
            return pending.map { (digest: $0.key, content: $0.value) }
        }
        let reused = reused.withLock { shards in
            defer { shards = [] }
            return shards
        }
        do throws(SystemError) {
            try flush(staged.map(\.content.name))
            var shards: Set<ByteString> = []
            for (digest, content) in staged {
                let path = BlobPath.of(digest)
                let shard = Self.shard(digest)
                if shards.insert(shard).inserted {
                    try store.directory.blobs.ensureDirectory(shard, mode: StoreDirectory.directoryMode)
                }
                try name(content, path: path)
                store.tamperGuard.published(digest, try store.directory.blobs.status(of: path))
            }
            // A content that was there may have been named a moment ago by a command that has not flushed it yet, or never
            // will: whoever relies on it flushes its name, too.
            try flushDirectories(shards.union(reused))
        } catch {
            throw .system(step: "write to the store", error)
        }
        return staged.map(\.digest)
    }

    /// The directory of a content, below `blobs/sha256`.
    private static func shard(_ digest: Digest) -> ByteString { ByteString(BlobPath.of(digest).bytes[..<2]) }

    private func name(_ content: Pending, path: ByteString) throws(SystemError) {
        do {
            try staging.directory.rename(content.name, to: path, in: store.directory.blobs, replacing: false)
        } catch  where error.errno == .fileExists {
            // Another command stored the same content meanwhile; a damaged one gives way.
            let isDamaged =
                content.replaces ? true : try store.directory.blobs.status(of: path).size != content.size
            if isDamaged {
                try staging.directory.rename(content.name, to: path, in: store.directory.blobs, replacing: true)
            }
        } catch  where error.errno == .invalidArgument {
            // RENAME_NOREPLACE is not known to every file system; link(2) does not overwrite either.
            do {
                try store.directory.blobs.makeLink(path, to: content.name, in: staging.directory)
            } catch  where error.errno == .fileExists {}
            try staging.directory.removeFile(content.name)
        }
    }

    /// The number of files up to which each is flushed by itself; beyond it, one syncfs(2) is cheaper.
    private static let fewFiles = 8

    private func flush(_ names: [ByteString]) throws(SystemError) {
        if names.count > Self.fewFiles { return try store.directory.root.syncFileSystem() }
        for name in names { try staging.directory.open(name, .readOnly).sync() }
    }

    private func flushDirectories(_ shards: Set<ByteString>) throws(SystemError) {
        if shards.isEmpty { return }
        if shards.count > Self.fewFiles { return try store.directory.root.syncFileSystem() }
        for shard in shards { try store.directory.blobs.open(shard, [.readOnly, .directory]).sync() }
        try store.directory.blobs.sync()
    }
}

extension [Digest: StoreSession.Pending] {
    /// Adds a copy; false when the same content waits already.
    fileprivate mutating func insert(_ copy: ContentCopy, replaces: Bool) -> Bool {
        guard self[copy.digest] == nil else { return false }
        self[copy.digest] = StoreSession.Pending(name: copy.name, size: copy.size, replaces: replaces)
        return true
    }
}
