public import Bytes
public import Digests
import Posix
import Synchronization
import SystemPackage
public import Trees

/// The inodes that hard links share: for each content as many as there are different metadata.
///
/// The first is the blob itself. An entry with the same content but another mode, owner or attributes (or, when asked for,
/// time) gets a further inode below `nodes/`, made by reflink where the file system can, else by a copy, and kept.
public final class NodeStore: Sendable {
    private let store: StoreDirectory
    private let blobs: BlobStore
    private let tamperGuard: TamperGuard
    // Made when the first node is: most materializing needs none, and a read-only store can have none.
    private let staging = Mutex<StagingArea?>(nil)

    public init(_ store: Store) {
        self.store = store.directory
        blobs = store.blobs
        tamperGuard = store.tamperGuard
    }

    /// The content of the node that lies at `name` below `nodes/`; nil when that is no name of one.
    static func digest(ofName name: ByteString) -> Digest? {
        name.bytes.lastIndex(of: UInt8(ascii: ".")).flatMap { BlobPath.digest(ByteString(name.bytes[..<$0])) }
    }

    /// The contents that have nodes in the directory `nodes`.
    static func contents(in nodes: borrowing OwnedDescriptor) throws(LayerStoreError) -> Set<Digest> {
        var result: Set<Digest> = []
        do {
            for shard in try nodes.names() where shard.name.count == 2 {
                for file in try nodes.open(shard.name, [.readOnly, .directory, .noFollow]).names() {
                    if let content = digest(ofName: shard.name + "/" + file.name) { result.insert(content) }
                }
            }
        } catch {
            throw .system(step: "list the nodes", error)
        }
        return result
    }

    /// An inode that a file with this content and metadata may be a link to.
    public struct Node: Sendable {
        /// The store that has it.
        let home: StoreDirectory
        /// Below that store's directory.
        public var path: ByteString
    }

    /// The node for a file entry, made if there is none yet.
    ///
    /// - Parameter exactTime: whether the time of modification must be the entry's; usually it is not part of the bargain.
    /// - Returns: nil when such a file is never shared: it is empty, setuid, setgid, or writable by others.
    /// - Throws: ``LayerStoreError``; a read-only store cannot make nodes.
    public func node(
        for digest: Digest, size: UInt64, metadata: Metadata, exactTime: Bool
    ) throws(LayerStoreError) -> Node? {
        let wanted = InodeMetadata(metadata)
        guard size > 0, metadata.mode & 0o6000 == 0, wanted.isShareable else { return nil }
        guard let place = try blobs.find(digest) else { throw blobs.missing(digest, wantedBy: "a layer") }
        let blob = place.status
        let path = BlobPath.of(digest)
        guard blob.size == size else {
            throw .damagedBlob(
                digest, path: blobs.path(of: digest), found: "has \(blob.size) bytes instead of \(size)")
        }
        try tamperGuard.check(digest, blob)
        if wanted.matches(blob, exactTime: exactTime) { return Node(home: place.home, path: "blobs/sha256/" + path) }
        let name = path + "." + ByteString(wanted.key(exactTime: exactTime))
        var made = wanted
        // Where the entry's time is no part of the bargain, the blob's tells whether the node was written to since.
        if !exactTime { made.modified = Timestamp(blob.modified) }
        do {
            try checkNode(name, of: digest, try store.nodes.status(of: name), made)
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
            try makeNode(name, of: digest, made)
        } catch let error as SystemError {
            throw .system(step: "look for a node", error)
        } catch let error as LayerStoreError {
            throw error
        } catch {
            throw .damagedRecord(name, reason: "\(error)")
        }
        return Node(home: store, path: "nodes/" + name)
    }

    /// A node whose inode is as it was made is believed; any other is read.
    private func checkNode(
        _ name: ByteString, of digest: Digest, _ status: FileStatus, _ made: InodeMetadata
    ) throws {
        if made.isLike(status) { return }
        let place = store.path + "/nodes/" + name
        if let fault = try store.nodes.open(name, [.readOnly, .noFollow]).contentFault(digest) {
            throw LayerStoreError.damagedBlob(digest, path: place, found: fault)
        }
        if (status.permissions, status.uid, status.gid) != (made.mode, made.uid, made.gid) {
            throw LayerStoreError.damagedBlob(digest, path: place, found: "was given another mode or owner")
        }
    }

    private func makeNode(
        _ name: ByteString, of digest: Digest, _ metadata: InodeMetadata
    ) throws(LayerStoreError) {
        let staging = try stagingArea()
        let source = try blobs.open(digest, wantedBy: "a layer")
        let temporary = staging.freshName()
        do {
            let file = try staging.directory.open(temporary, [.readWrite, .create, .exclusive])
            try FileCopy.copyContent(of: source, to: file)
            try metadata.apply(to: file)
            // A node is linked without reading it, so it must be whole, mode and owner too, before it has its name.
            try file.sync()
            try store.nodes.ensureDirectory(ByteString(name.bytes[..<2]), mode: StoreDirectory.directoryMode)
            try staging.directory.rename(temporary, to: name, in: store.nodes, replacing: false)
        } catch  where error.errno == .fileExists {
            staging.discard(temporary)
        } catch {
            staging.discard(temporary)
            throw .system(step: "make a node of \(digest)", error)
        }
    }

    private func stagingArea() throws(LayerStoreError) -> StagingArea {
        if let reason = store.readOnlyReason { throw .readOnly(store.path, reason: reason) }
        let made = staging.withLock { (area) -> Result<StagingArea, LayerStoreError> in
            if let area { return .success(area) }
            do throws(LayerStoreError) {
                let fresh = try StagingArea(store)
                area = fresh
                return .success(fresh)
            } catch .system(_, let error) where Store.forbidsWriting(error) {
                return .failure(.readOnly(store.path, reason: "\(error)"))
            } catch {
                return .failure(error)
            }
        }
        return try made.get()
    }
}
