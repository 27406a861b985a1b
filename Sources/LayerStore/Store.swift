public import Bytes
public import Digests
public import Posix
import SystemPackage

/// An opened store.
public final class Store: Sendable {
    public let path: ByteString
    public let blobs: BlobStore
    public let references: References
    let directory: StoreDirectory
    /// Open for writing; nil in a store that is only read, and while the index is damaged and others use the store, so that it
    /// cannot be replaced: what is done then is not told to it, and it is rebuilt later.
    let writableIndex: LayerIndex?
    /// Whether names may be changed.
    let isWritable: Bool
    let tamperGuard: TamperGuard
    let further: [FurtherStore]
    /// Held as long as the store is open: nothing that is read or added meanwhile can be removed.
    private let lock: StoreLock
    private let patience: Duration

    /// How a store is opened.
    public enum Access: Sendable {
        /// What is there is read, and nothing changed but the cache.
        case reading
        /// Names will be changed or removed in a store that exists.
        case changing
        /// Something will be added; a store is made where there is none.
        case adding
        /// Contents will be removed: the store is this command's alone.
        case collecting
        /// The index is made anew: the store is this command's alone.
        case reindexing

        /// How the store's lock is held.
        var lockMode: FileLock.Mode { self == .collecting || self == .reindexing ? .exclusive : .shared }
    }

    /// Opens the store at the absolute path `paths.own`, and the further ones.
    ///
    /// An index that is damaged is rebuilt by whoever opens the store for more than reading.
    ///
    /// - Parameters:
    ///   - patience: how long to wait for a command that has the store for itself.
    ///   - trust: whose stores are believed.
    /// - Throws: ``LayerStoreError`` when there is no store to read, its format is not known, it cannot be written, or somebody else
    ///   could have written it.
    public init(
        _ paths: StorePaths, _ access: Access, patience: Duration = .seconds(10), trust: StoreTrust = .own
    ) throws(LayerStoreError) {
        path = paths.own
        self.patience = patience
        let directory: StoreDirectory
        do {
            directory = try StoreDirectory(paths.own, access, trust)
        } catch .system(_, let error) where access != .reading && Self.forbidsWriting(error) {
            throw .readOnly(paths.own, reason: "\(error)")
        }
        self.directory = directory
        let (further, absent) = try FurtherStore.open(
            paths.further, beside: directory, patience: patience, trust: trust)
        let blobs = BlobStore(store: directory, further: further.map(\.directory), absent: absent)
        self.further = further
        self.blobs = blobs
        references = References(store: directory)
        isWritable = access != .reading
        if access != .reading { try Self.checkWritable(directory) }
        let lock = try StoreLock(directory, access.lockMode, patience: patience)
        switch access {
        case .reading: writableIndex = nil
        case .reindexing:
            try StoreIndex(directory: directory).rebuild(from: Store(reading: blobs), verifying: true)
            writableIndex = try Self.openIndex(directory, patience)
        case .changing, .adding, .collecting:
            if let index = try Self.openIndex(directory, patience) {
                writableIndex = index
            } else {
                try lock.whileAlone(directory, access.lockMode, patience: patience) {
                    // A document that cannot be read is reported by whoever needs it.
                    try? StoreIndex(directory: directory).rebuild(from: Store(reading: blobs), verifying: false)
                }
                writableIndex = try Self.openIndex(directory, patience)
            }
        }
        self.lock = lock
        tamperGuard = TamperGuard(directory, blobs, index: writableIndex, further: further.compactMap(\.index))
    }

    /// Opens the store at `path`, an absolute path, and no further ones.
    public convenience init(
        _ path: ByteString, _ access: Access, patience: Duration = .seconds(10), trust: StoreTrust = .own
    ) throws(LayerStoreError) {
        try self.init(StorePaths(path), access, patience: patience, trust: trust)
    }

    /// The documents of a store that the caller has locked.
    private init(reading blobs: BlobStore) {
        let directory = blobs.store
        path = directory.path
        patience = .zero
        self.directory = directory
        self.blobs = blobs
        further = []
        references = References(store: directory)
        (isWritable, writableIndex) = (false, nil)
        lock = StoreLock.none
        tamperGuard = TamperGuard(directory, blobs, index: nil, further: [])
    }

    /// - Throws: ``LayerStoreError/readOnly(_:reason:)`` before anything is begun that would end so.
    private static func checkWritable(_ directory: StoreDirectory) throws(LayerStoreError) {
        if let reason = directory.readOnlyReason { throw .readOnly(directory.path, reason: reason) }
        do {
            // An unnamed file: gone when it is closed.
            _ = try directory.root.open("staging", [.writeOnly, .temporary])
        } catch  where forbidsWriting(error) {
            throw .readOnly(directory.path, reason: "\(error)")
        } catch {
            // A file system without unnamed files, or a full one: what is tried next says what is wrong.
        }
    }

    private static func openIndex(_ directory: StoreDirectory, _ patience: Duration) throws(LayerStoreError)
        -> LayerIndex?
    {
        try StoreLock.commit(directory, patience: patience).whileHeld { () throws(LayerStoreError) in
            try StoreIndex(directory: directory).openForWriting()
        }
    }

    /// An index that agrees with the references.
    ///
    /// What was written is brought up to date in place. A store that is only read, and whose index is missing, damaged or
    /// behind (a command died between naming a layer and indexing it), gets one in memory.
    func currentIndex() throws(LayerStoreError) -> LayerIndex {
        if let writableIndex {
            try whileCommitting { () throws(LayerStoreError) in try IndexUpdate(self, writableIndex).synchronise() }
            return writableIndex
        }
        if let index = StoreIndex(directory: directory).openForReading(),
            (try? IndexUpdate(self, index).isCurrent()) == true
        {
            return index
        }
        let index = try LayerIndex.inMemory()
        try IndexUpdate(self, index).synchronise()
        return index
    }

    static func forbidsWriting(_ error: SystemError) -> Bool {
        error.errno == .readOnlyFileSystem || error.errno == .permissionDenied
    }

    /// Begins to add. See ``StoreSession``.
    public func beginAdding() throws(LayerStoreError) -> StoreSession { try StoreSession(self) }

    /// Runs `body` while no other command changes references or the index.
    func whileCommitting<Result>(_ body: () throws(LayerStoreError) -> Result) throws(LayerStoreError) -> Result {
        try StoreLock.commit(directory, patience: patience).whileHeld(body)
    }
}

extension Store {
    /// Gives `node` the name `name` in `directory`, outside the store (linkat(2)).
    ///
    /// - Throws: EMLINK when the inode has all the links it can have, EXDEV when the directory is on another file system,
    ///   EPERM when the kernel forbids it (proc(5), protected_hardlinks): then copy.
    public func link(
        _ node: NodeStore.Node, to name: ByteString, in directory: borrowing OwnedDescriptor
    ) throws(SystemError) {
        try directory.makeLink(name, to: node.path, in: node.home.root)
    }

    /// Opens the content `digest` to be copied or shared by the kernel.
    ///
    /// - Throws: ``LayerStoreError/damagedBlob(_:path:found:)`` when it was changed since it was stored.
    public func openContent(_ digest: Digest) throws(LayerStoreError) -> OwnedDescriptor {
        if let bytes = blobs.volatile[digest] {
            return try during("read the content \(digest)") { () throws(SystemError) in
                try Files.inMemory(bytes, label: ByteString("\(digest)"))
            }
        }
        let file = try blobs.open(digest, wantedBy: "a layer")
        let status = try during("examine the content \(digest)") { () throws(SystemError) in try file.status() }
        try tamperGuard.check(digest, status)
        return file
    }

    /// Opens the index, which is else opened when it is first asked.
    public func openIndex() { tamperGuard.openIndexes() }

    /// Prepares to hand out `contents`: looks up what is known of them all at once.
    public func prepare(_ contents: some Sequence<Digest>) { tamperGuard.prepare(contents) }

    /// The same, for linking to them.
    public func links(to contents: some Sequence<Digest>) -> ContentLinks {
        ContentLinks(self, tamperGuard.states(of: contents))
    }
}
