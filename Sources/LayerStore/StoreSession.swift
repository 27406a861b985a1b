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
/// session early, or being killed in it, leaves the store as it was but for contents that nothing names. Of very many contents
/// some are flushed, and some of these get their final names, while the rest is staged (docs/decisions/0040).
public final class StoreSession: Sendable {
    let store: Store
    /// Where contents are staged.
    let staging: StagingArea
    let pending = Mutex<[Digest: Pending]>([:])
    /// What waits no more, and is being flushed and settled by another thread.
    let leaving = Mutex<[Digest: Pending]>([:])
    /// That work.
    let departure = Mutex<Departure?>(nil)
    /// What has left and only lacks its name.
    let resting = RestingContents()
    /// What the index is to know of all that has left.
    let log = IntakeLog()
    /// Files that were taken and are to be remembered.
    let unremembered = Mutex<[SourceFile]>([])
    /// The directories of contents that were there already, by the first byte of the digests in them.
    let reused = Mutex<Set<UInt8>>([])
    /// nil where a further store may have what this one lacks.
    let absentShards: AbsentShards?

    /// A content that waits to be published.
    struct Pending {
        /// Below the staging directory; that of the blob itself where it lies in a directory that can be published as a whole.
        var name: ByteString
        var size: UInt64
        /// Takes the place of a blob that is damaged.
        var replaces = false
        var isFlushed = false
        /// What its inode was when it was ready.
        var state: InodeFingerprint?
    }

    /// How many contents wait before they are published: what is known of each of them takes some hundred bytes.
    let batchSize: Int

    init(_ store: Store, batchSize: Int = 16_384) throws(LayerStoreError) {
        self.batchSize = batchSize
        self.store = store
        absentShards = store.further.isEmpty ? AbsentShards(store.directory) : nil
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
    /// - Parameters:
    ///   - state: what the file was when it was examined.
    ///   - known: what is known of that state; a file whose content is known is not read again, and not even opened unless it
    ///     may have attributes.
    /// - Throws: ``LayerStoreError/sourceChanges(_:)`` when the file does not hold still for one of three attempts.
    public func stage(
        file path: ByteString, state: SourceState? = nil, known: KnownContent? = nil
    ) throws(LayerStoreError) -> SourceFile {
        if let state, let known, !known.hasAttributes, try contains(known.digest, size: state.size) {
            // Any change of content, owner, permissions or attributes would have made it another state.
            return SourceFile(
                digest: known.digest, size: state.size, metadata: state.metadata, wasCopied: false,
                fingerprint: state.fingerprint, wasKnown: true, begun: .now)
        }
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
            if let known, fingerprint == state?.fingerprint, try contains(known.digest, size: before.size) {
                return SourceFile(
                    digest: known.digest, size: before.size, metadata: metadata, wasCopied: false,
                    fingerprint: fingerprint, wasKnown: true, begun: begun)
            }
            let copy = try copy(source, before, metadata)
            let after = try during("examine") { () throws(SystemError) in try source.status() }
            // A further hard link changes the time of change (ctime), too: two copies that agree are proof enough then.
            let isSteady =
                SourceFingerprint(after) == fingerprint
                || fingerprint.differsOnlyInChangeTime(SourceFingerprint(after)) && earlier?.digest == copy.digest
            guard isSteady, copy.size == before.size else {
                discard(copy)
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

    /// Hashes the rest of `source`, and copies it into the staging area if the store lacks it.
    private func copy(
        _ source: borrowing OwnedDescriptor, _ status: FileStatus, _ metadata: Metadata
    ) throws(LayerStoreError) -> ContentCopy {
        // Where blocks can be shared, they are; elsewhere what is there already need not be written to be hashed.
        guard status.size <= UInt64(ContentCopy.smallSize), !staging.canShareBlocks(with: status.identity.device) else {
            return try ContentCopy.make(of: source, status, in: staging, metadata: metadata)
        }
        let bytes = try during("read") { () throws(SystemError) in try source.readExactly(status.size) }
        guard let bytes else { return try ContentCopy.make(of: source, status, in: staging, metadata: metadata) }
        let inode = InodeMetadata(ofBlob: metadata)
        return try stage(bytes, mode: inode.mode, modified: inode.modified.fileTime)
    }

    /// Writes the small content `bytes` into the staging area, unless the store has it or it waits there already.
    ///
    /// - Parameter known: its digest, where that was computed.
    func stage(
        _ bytes: [UInt8], digest known: Digest? = nil, mode: UInt16, modified: FileTime?
    ) throws(LayerStoreError) -> ContentCopy {
        let digest = known ?? Digest(hashing: bytes)
        let size = UInt64(bytes.count)
        if bytes.isEmpty { return ContentCopy(digest: digest, size: size) }
        let stored = try isWaiting(digest) ? Stored.good : stored(digest, size: size)
        if stored == .good { return ContentCopy(digest: digest, size: size) }
        return try during("write to the store") { () throws(SystemError) in
            var copy = ContentCopy(digest: digest, size: size, replaces: stored == .damaged)
            // A damaged blob is replaced by a rename of its own, so its copy must not lie in a directory that is published as a whole.
            // What another thread writes there it may still find to be unsteady.
            if stored == .absent, resting.begin(digest) {
                let name = BlobPath.of(digest)
                do throws(SystemError) {
                    copy.state = try staging.write(bytes, to: name, mode: mode, modified: modified)
                    copy.name = name
                    return copy
                } catch {
                    resting.end(digest)
                    // Another thread has just written it.
                    guard error.errno == .fileExists else { throw error }
                }
            }
            let name = staging.freshName()
            copy.state = try staging.write(bytes, to: name, mode: mode, modified: modified)
            copy.name = name
            return copy
        }
    }

    /// Forgets a copy that is of no steady file, or not needed.
    private func discard(_ copy: ContentCopy) {
        if let name = copy.name { staging.discard(name) }
        ended(copy)
    }

    /// To be called once a copy waits to be published, or is gone.
    private func ended(_ copy: ContentCopy) {
        if let name = copy.name, StagingArea.liesInShard(name) { resting.end(copy.digest) }
    }

    /// Takes `bytes` into the store.
    @discardableResult
    public func stage(bytes: [UInt8], mode: UInt16 = 0o444) throws(LayerStoreError) -> Digest {
        let digest = Digest(hashing: bytes)
        if bytes.isEmpty { return digest }
        if try contains(digest, size: UInt64(bytes.count)) { return digest }
        _ = try keep(stage(bytes, mode: mode, modified: nil))
        return digest
    }

    public func areThere(_ contents: [(digest: Digest, size: UInt64)?]) throws(LayerStoreError) -> [Bool] {
        var result = [Bool](repeating: false, count: contents.count)
        let tamperGuard = store.tamperGuard
        guard let states = tamperGuard.believedStates else { return result }
        var shards: Set<UInt8> = []
        for case (let position, let content?) in contents.enumerated() {
            if content.size > 0 {
                let isThere = try tamperGuard.isAsRemembered(content.digest, size: content.size, states)
                guard isThere else { continue }
                shards.insert(Self.firstByte(content.digest))
            }
            result[position] = true
        }
        reused.withLock { $0.formUnion(shards) }
        return result
    }

    /// Whether the content is in the store, or staged by this session.
    func contains(_ digest: Digest, size: UInt64) throws(LayerStoreError) -> Bool {
        if size == 0 { return true }
        return try isWaiting(digest) ? true : stored(digest, size: size) == .good
    }

    /// Whether the content is neither in the store nor staged by this session.
    public func lacks(_ digest: Digest, size: UInt64) throws(LayerStoreError) -> Bool {
        try !contains(digest, size: size)
    }

    private enum Stored { case absent, good, damaged }

    /// What the store has of a content. One that was changed through a hard link is as good as none.
    private func stored(_ digest: Digest, size: UInt64) throws(LayerStoreError) -> Stored {
        if try store.tamperGuard.isAsRemembered(digest, size: size) {
            relyOn(digest)
            return .good
        }
        let isAbsent = try during("examine the store") { () throws(SystemError) in
            try absentShards?.contains(Self.firstByte(digest)) ?? false
        }
        guard !isAbsent, let place = try store.blobs.find(digest) else { return .absent }
        // A damaged one of a further store is not ours to replace; a good one here hides it.
        let damaged: Stored = place.isOwn ? .damaged : .absent
        guard place.status.size == size else { return damaged }
        if case .content? = try store.tamperGuard.fault(digest, place.status) { return damaged }
        if place.isOwn { relyOn(digest) }
        return .good
    }

    private func relyOn(_ digest: Digest) {
        reused.withLock { _ = $0.insert(Self.firstByte(digest)) }
    }

    static func firstByte(_ digest: Digest) -> UInt8 { digest.withUnsafeBytes { $0[0] } }

    /// Keeps a staged copy for publishing, unless the content is there already. Returns whether it was needed.
    func keep(_ copy: ContentCopy) throws(LayerStoreError) -> Bool {
        guard let name = copy.name else { return false }
        var copy = copy
        if copy.replaces == nil {
            // A blob that is damaged will be replaced by the good copy.
            let isThere = copy.size == 0 ? true : try isWaiting(copy.digest)
            let stored = isThere ? .good : try stored(copy.digest, size: copy.size)
            if stored != .good { copy.replaces = stored == .damaged }
        }
        let isNeeded = copy.replaces == nil ? false : try insert(copy, name)
        if isNeeded { ended(copy) } else { discard(copy) }
        return isNeeded
    }

    /// Adds a copy to what waits; false when the same content waits already, or by now.
    private func insert(_ copy: ContentCopy, _ name: ByteString) throws(LayerStoreError) -> Bool {
        try pending.withLock { (pending) throws(LayerStoreError) in
            if pending[copy.digest] != nil { return false }
            if try hasLeft(copy.digest) { return false }
            pending[copy.digest] = Pending(
                name: name, size: copy.size, replaces: copy.replaces ?? false, state: copy.state)
            return true
        }
    }
}
