public import Bytes
import Digests
import Posix
import SystemPackage
import Trees

/// An opened store.
public final class Store: Sendable {
    public let path: ByteString
    public let blobs: BlobStore
    public let references: References
    let directory: StoreDirectory
    /// Open for writing; nil in a store that is only read.
    let writableIndex: LayerIndex?

    /// How a store is opened.
    public enum Access: Sendable {
        /// What is there is read, and nothing changed.
        case reading
        /// Something will be added or removed; a store is made where there is none.
        case writing
    }

    /// Opens the store at `path`, an absolute path.
    ///
    /// - Throws: ``LayerStoreError`` when there is no store to read, its format is not known, or it cannot be written.
    public init(_ path: ByteString, _ access: Access) throws(LayerStoreError) {
        self.path = path
        do {
            directory = try StoreDirectory(path, creating: access == .writing)
        } catch .system(_, let error) where access == .writing && Self.forbidsWriting(error) {
            throw .readOnly(path, reason: "\(error)")
        }
        blobs = BlobStore(store: directory)
        references = References(store: directory)
        if access == .writing {
            if let reason = directory.readOnlyReason { throw .readOnly(path, reason: reason) }
            writableIndex = try LayerIndex(path: Self.indexPath(path), access: .writing)
        } else {
            writableIndex = nil
        }
    }

    private static func indexPath(_ path: ByteString) -> ByteString { path + "/index.sqlite" }

    /// An index that agrees with the references.
    ///
    /// What was written is brought up to date in place. A store that is only read, and whose index is missing, damaged or
    /// behind (a command died between naming a layer and indexing it), gets one in memory.
    func currentIndex() throws(LayerStoreError) -> LayerIndex {
        if let writableIndex {
            try whileCommitting { () throws(LayerStoreError) in try IndexUpdate(self, writableIndex).synchronise() }
            return writableIndex
        }
        if let index = try? LayerIndex(path: Self.indexPath(path), access: .reading),
            (try? IndexUpdate(self, index).isCurrent()) == true {
            return index
        }
        let index = try LayerIndex(path: ":memory:", access: .writing)
        try IndexUpdate(self, index).synchronise()
        return index
    }

    private static func forbidsWriting(_ error: SystemError) -> Bool {
        error.errno == .readOnlyFileSystem || error.errno == .permissionDenied
    }

    /// Begins to add. See ``StoreSession``.
    ///
    /// - Parameter patience: how long to wait for a command that removes content.
    public func beginAdding(patience: Duration = .seconds(10)) throws(LayerStoreError) -> StoreSession {
        try StoreSession(self, patience: patience)
    }

    /// Runs `body` while nothing can be removed from the store.
    public func whileReading<Result>(
        patience: Duration = .seconds(10), _ body: () throws -> Result
    ) throws -> Result {
        try StoreLock(directory, .shared, patience: patience).whileHeld(body)
    }

    /// Runs `body` while no other command changes references or the index.
    func whileCommitting<Result>(_ body: () throws(LayerStoreError) -> Result) throws(LayerStoreError) -> Result {
        try StoreLock.commit(directory, patience: .seconds(10)).whileHeld(body)
    }
}
