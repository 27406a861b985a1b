public import Bytes
public import Digests
public import Posix
import Synchronization
import SystemPackage
import Trees

/// Replaces what a check found missing or damaged by good copies, wherever they are found.
///
/// Nothing is believed but a digest: a candidate is copied into the staging area, hashed on the way, and takes the place of the
/// damaged file only when it is what that file's name says. The caller has the store for itself (``Store/Access/collecting``).
public final class StoreRepair: Sendable {
    private let store: Store
    private let staging: StagingArea
    private let wanted: Mutex<[Digest: Wanted]>
    private let repairs = Mutex<[Digest: String]>([:])

    /// What is known of a content that has to be found.
    private struct Wanted {
        var size: UInt64?
        var metadata: Metadata?
        /// Files of the host that it came from, or that it is called as.
        var origins: Set<ByteString> = []
    }

    /// - Parameter report: what the check of `store` found.
    /// - Throws: ``LayerStoreError`` when the store cannot be written.
    public init(_ store: Store, _ report: IntegrityReport) throws(LayerStoreError) {
        self.store = store
        staging = try StagingArea(store.directory)
        var wanted: [Digest: Wanted] = [:]
        for damage in report.damages where damage.kind == .missing || damage.kind == .damaged {
            if let digest = damage.digest.flatMap({ try? Digest(parsing: $0) }) { wanted[digest] = Wanted() }
        }
        for layer in try StoreGraph(of: store).layers.values {
            guard let record = layer.record, let tree = layer.tree else { continue }
            let origins = (try? store.provenance(of: record)).map { Provenance.Origins($0) }
            for entry in tree.entries {
                guard case .file(let digest, let size) = entry.kind, wanted[digest] != nil else { continue }
                var known = wanted[digest] ?? Wanted()
                known.size = size
                known.metadata = known.metadata ?? entry.metadata
                known.origins.insert(origins?[entry.path]?.source ?? entry.path.bytes)
                wanted[digest] = known
            }
        }
        self.wanted = Mutex(wanted)
    }

    /// The contents that are still to be found.
    public var missing: [Digest] { wanted.withLock { $0.keys.sorted() } }

    /// Whether a content of `size` bytes may be one that is to be found: whether offering it is worth the work.
    public func mayWant(size: UInt64) -> Bool {
        wanted.withLock { $0.values.contains { $0.size == nil || $0.size == size } }
    }

    /// Looks through the nodes of the contents that are to be found.
    public func searchNodes() throws {
        for digest in missing {
            let path = BlobPath.of(digest)
            let shard = ByteString(path.bytes[..<2])
            guard try store.directory.nodes.contains(shard) else { continue }
            for file in try store.directory.nodes.open(shard, [.readOnly, .directory]).names()
            where (shard + "/" + file.name).hasPrefix(path + ".") {
                try offer(
                    store.directory.nodes.open(shard + "/" + file.name, [.readOnly, .noFollow]),
                    as: "nodes/\(shard)/\(file.name)")
            }
        }
    }

    /// Looks at the host's files that the contents came from.
    public func searchHost() throws {
        for digest in missing {
            for path in wanted.withLock({ $0[digest]?.origins.sorted() ?? [] }) {
                // O_NONBLOCK: what is a fifo now must not make us wait for its writer.
                guard let file = try? Files.open(path, [.readOnly, .nonBlocking]), let status = try? file.status(),
                    status.kind == .regular, mayWant(size: status.size)
                else { continue }
                try offer(file, as: "\(path)")
            }
        }
    }

    /// Looks through another store.
    public func search(store path: ByteString) throws {
        for digest in missing {
            let name = path + "/blobs/sha256/" + BlobPath.of(digest)
            if let file = try? Files.open(name, [.readOnly, .noFollow]) { try offer(file, as: "\(name)") }
        }
    }

    /// Looks through the further stores.
    public func searchFurtherStores() throws {
        for further in store.further { try search(store: further.directory.path) }
    }

    /// Takes the rest of `file` if it is one of the contents that are to be found.
    public func offer(_ file: borrowing OwnedDescriptor, as origin: String) throws {
        let candidate = try Candidate(self, origin: origin)
        try file.forEachPiece { try candidate.write($0) }
        try candidate.finish()
    }

    /// A content that comes in pieces, and may be one that is to be found.
    public final class Candidate {
        private let repair: StoreRepair
        private let origin: String
        private let name: ByteString
        private let file: OwnedDescriptor
        private var hasher = DigestHasher()

        /// - Parameter origin: where it comes from, for the report.
        public init(_ repair: StoreRepair, origin: String) throws(LayerStoreError) {
            (self.repair, self.origin) = (repair, origin)
            let name = repair.staging.freshName()
            self.name = name
            file = try during("copy \(origin) into the store") { () throws(SystemError) in
                try repair.staging.directory.open(name, [.readWrite, .create, .exclusive])
            }
        }

        deinit { repair.staging.discard(name) }

        public func write(_ bytes: UnsafeRawBufferPointer) throws {
            hasher.update(bytes)
            try file.writeAll(bytes)
        }

        /// Puts it in its place, when it is one.
        public func finish() throws {
            let digest = hasher.finalize()
            hasher = DigestHasher()
            try repair.take(digest, file, name, origin)
        }
    }

    private func take(_ digest: Digest, _ file: borrowing OwnedDescriptor, _ name: ByteString, _ origin: String) throws
    {
        guard let found = wanted.withLock({ $0[digest] }) else { return }
        if let metadata = found.metadata {
            try InodeMetadata(ofBlob: metadata).apply(to: file)
        } else {
            try file.setPermissions(0o444)
        }
        // A place is taken only by what is whole, whatever happens next.
        try file.sync()
        let path = BlobPath.of(digest)
        let shard = ByteString(path.bytes[..<2])
        try store.directory.blobs.ensureDirectory(shard, mode: StoreDirectory.directoryMode)
        try staging.directory.rename(name, to: path, in: store.directory.blobs, replacing: true)
        try store.directory.blobs.open(shard, [.readOnly, .directory]).sync()
        try store.directory.blobs.sync()
        store.tamperGuard.published(digest, InodeFingerprint(try store.directory.blobs.status(of: path)))
        wanted.withLock { $0[digest] = nil }
        repairs.withLock { $0[digest] = "replaced by \(origin)" }
    }

    /// The report, with what was repaired; damaged nodes of good contents are removed, since they are made again when needed.
    public func finish(_ report: IntegrityReport) throws -> IntegrityReport {
        var report = report
        let (repairs, missing) = (repairs.withLock { $0 }, Set(missing))
        for index in report.damages.indices {
            let damage = report.damages[index]
            guard let digest = damage.digest.flatMap({ try? Digest(parsing: $0) }) else { continue }
            switch damage.kind {
            case .missing, .damaged: report.damages[index].repair = repairs[digest]
            case .metadata:
                guard let expected = store.tamperGuard.expected(digest) else { break }
                let file = try store.blobs.open(digest, wantedBy: "a layer")
                // In place: every root that shares the inode is repaired with it.
                if CurrentProcess.isRoot { try file.setOwner(uid: expected.uid, gid: expected.gid) }
                try file.setPermissions(expected.mode)
                try file.sync()
                report.damages[index].repair = "given mode and owner \(expected.metadataText) again"
            case .node where !missing.contains(digest):
                try store.directory.root.removeFile(ByteString(damage.place))
                report.damages[index].repair = "removed; it is made anew when it is needed"
            default: break
            }
        }
        try store.recordInodes()
        return report
    }
}
