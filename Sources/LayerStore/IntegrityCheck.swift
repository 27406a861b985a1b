import Bytes
import Digests
public import Posix
import SystemPackage
import Trees

/// Checks every byte of a store against its name, and everything that names something against what it names.
public struct IntegrityCheck: Sendable {
    let store: Store
    let pool: WorkerPool
    /// Believe an inode whose state is the one that is remembered, instead of reading it.
    let fast: Bool
    /// Told how many bytes there are to be read, and then of each file read; throws to end the check.
    let begin: @Sendable (UInt64) -> Void
    let advance: @Sendable (UInt64) throws -> Void

    public init(
        _ store: Store, pool: WorkerPool, fast: Bool = false, begin: @escaping @Sendable (UInt64) -> Void,
        advance: @escaping @Sendable (UInt64) throws -> Void
    ) {
        (self.store, self.pool, self.fast) = (store, pool, fast)
        (self.begin, self.advance) = (begin, advance)
    }

    /// Reads everything and says what is wrong.
    ///
    /// - Throws: ``LayerStoreError`` when the store's own directories cannot be read, and what `advance` throws.
    public func run() throws -> IntegrityReport {
        // Names first: what a command adds meanwhile is then there by the time that blobs are listed.
        let graph = try StoreGraph(of: store)
        var report = IntegrityReport()
        report.damages = graph.damages
        (report.layers, report.images) = (graph.layers.count, graph.images.count)
        let needed = graph.needed
        var elsewhere: [StoredFile] = []
        let blobs = try ShardFiles(
            store.directory.blobs, "blobs/sha256", foreign: { report.foreignFiles.append($0) },
            digest: { BlobPath.digest($0) }
        ) { first, present in
            for digest in needed.digests(beginningWith: first) where !present.contains(digest) {
                if let found = try elsewhereFile(digest) {
                    elsewhere.append(found)
                } else {
                    report.damages.append(.init(kind: .missing, digest: digest, detail: missingText))
                }
            }
        }
        let nodes = try ShardFiles(
            store.directory.nodes, "nodes", foreign: { report.foreignFiles.append($0) },
            digest: NodeStore.digest(ofName:)
        ) { _, _ in }
        (report.blobs, report.bytes) = (blobs.count, blobs.bytes)
        (report.nodes, report.elsewhere) = (nodes.count, elsewhere.count)
        begin(elsewhere.reduce(blobs.bytes &+ nodes.bytes) { $0 &+ ($1.size ?? 0) })
        func check(_ files: [StoredFile]) throws {
            store.tamperGuard.prepare(files.map(\.digest))
            let verdicts = try pool.map(files.count) { index in
                try blobVerdict(files[index], size: needed.size(of: files[index].digest))
            }
            report.damages += verdicts.compactMap { $0 }
        }
        // In parts, so that what is known of a file is not in memory for all of a million at once.
        try blobs.forEachPart(check)
        try check(elsewhere)
        try nodes.forEachPart { files in
            report.damages += try pool.map(files.count) { index in try nodeVerdict(files[index]) }.compactMap { $0 }
        }
        let isReadable = report.damages.allSatisfy { $0.kind == .node }
        // No command is then between naming something and telling the index.
        let fault = try store.whileCommitting { () throws(LayerStoreError) in try indexFault(isReadable: isReadable) }
        if let detail = fault {
            report.damages.append(.init(kind: .index, place: "\(StoreIndex.fileName)", detail: detail))
        }
        graph.attribute(&report.damages)
        report.damages.sort { ($0.place, $0.kind.rawValue) < ($1.place, $1.kind.rawValue) }
        return report
    }

    /// A file of the store that is named by its content.
    struct StoredFile: Sendable {
        var digest: Digest
        /// Below `blobs/sha256` or `nodes`.
        var path: ByteString
        /// Where it was looked up; of a file that is still to be looked at nil.
        var size: UInt64?
        /// The further store that has it; nil for the store itself.
        var home: StoreDirectory?
    }

    /// The content `digest` in a further store; nil when none has it.
    private func elsewhereFile(_ digest: Digest) throws(LayerStoreError) -> StoredFile? {
        guard let place = try store.blobs.find(digest), !place.isOwn else { return nil }
        return StoredFile(digest: digest, path: BlobPath.of(digest), size: place.status.size, home: place.home)
    }

    private var missingText: String {
        let absent = store.absentStores.map(\.description).joined(separator: " or ")
        return absent.isEmpty
            ? "it is not there" : "it is not there; it may be in \(absent), where there is no store now"
    }

    /// What is wrong with a blob; nil when nothing is.
    private func blobVerdict(_ file: StoredFile, size: UInt64?) throws -> IntegrityReport.Damage? {
        let expected = store.tamperGuard.expected(file.digest)
        let home = file.home ?? store.directory
        let found = InodeFingerprint(try home.blobs.status(of: file.path))
        if fast, found == expected {
            try advance(found.size)
        } else if let fault = try contentFault(file, in: home.blobs) {
            var damage = IntegrityReport.Damage(kind: .damaged, digest: file.digest, detail: fault)
            if let further = file.home { damage.place = "\(further.path)/\(damage.place)" }
            return damage
        }
        // Modes and owners in a further store are its keeper's business.
        if file.home == nil, let expected, found.isRegranted(expected) {
            let detail = "it was given mode and owner \(found.metadataText) instead of \(expected.metadataText)"
            return .init(kind: .metadata, digest: file.digest, detail: detail)
        }
        guard let size, size != found.size else { return nil }
        return .init(kind: .record, digest: file.digest, detail: "it has \(found.size) bytes, but a tree says \(size)")
    }

    private func nodeVerdict(_ file: StoredFile) throws -> IntegrityReport.Damage? {
        // The time of a node is its blob's, unless a root was made with exact times.
        let blob = try? store.directory.blobs.status(of: BlobPath.of(file.digest))
        let status = try store.directory.nodes.status(of: file.path)
        let isLikeMade = fast && blob?.modified == status.modified && blob?.size == status.size
        if isLikeMade { try advance(status.size) }
        var fault = isLikeMade ? nil : try contentFault(file, in: store.directory.nodes)
        if fault == nil {
            let opened = try store.directory.nodes.open(file.path, [.readOnly, .noFollow])
            let metadata = Metadata(try opened.status(), attributes: try opened.extendedAttributes())
            if !InodeMetadata(metadata).hasKey(of: file.path) { fault = "its mode, owner or attributes were changed" }
        }
        return fault.map { .init(kind: .node, place: "nodes/\(file.path)", digest: "\(file.digest)", detail: $0) }
    }

    /// Why the content is not what the file's name says.
    private func contentFault(_ file: StoredFile, in parent: borrowing OwnedDescriptor) throws -> String? {
        var hasher = DigestHasher()
        do {
            let opened = try parent.open(file.path, [.readOnly, .noFollow])
            try opened.forEachPiece { piece in
                hasher.update(piece)
                try advance(UInt64(piece.count))
            }
        } catch let error as SystemError {
            return "it cannot be read: \(error)"
        }
        let found = hasher.finalize()
        return found == file.digest ? nil : "its bytes have the digest \(found)"
    }

    /// Why the index is not what contents and references say; nil when it is, or when that cannot be told.
    private func indexFault(isReadable: Bool) throws(LayerStoreError) -> String? {
        guard try store.directory.hasIndex() else { return nil }
        // A command that died in a transaction left a journal: the next that writes rolls it back.
        if try store.directory.hasHotJournal() { return nil }
        let damaged = "it is not as the last command left it"
        guard let index = store.writableIndex ?? StoreIndex(directory: store.directory).openUnverified() else {
            return damaged
        }
        let isStamped = (try? index.agreesWithStamp()) == true
        // Behind the references is no damage either: a command died before it could tell the index.
        if isStamped, (try? IndexUpdate(store, index).isCurrent()) == false { return nil }
        guard isReadable else { return isStamped ? nil : damaged }
        let truth = try LayerIndex.temporary()
        try IndexUpdate(store, truth).synchronise()
        do throws(LayerStoreError) {
            return try IndexComparison.difference(index, truth)
        } catch .index {
            return damaged
        }
    }
}

extension StoreDirectory {
    /// Whether there is an index at all: one that is missing is made by the next command that writes.
    func hasIndex() throws(LayerStoreError) -> Bool {
        try during("look for the index") { () throws(SystemError) in try root.contains(StoreIndex.fileName) }
    }

    /// Whether a transaction of the index was begun and not ended (sqlite.org/lockingv3.html, 4.2).
    func hasHotJournal() throws(LayerStoreError) -> Bool {
        let name = StoreIndex.fileName + "-journal"
        return try during("look for the index's journal") { () throws(SystemError) in
            do throws(SystemError) {
                return try root.status(of: name).size > 0
            } catch  where error.errno == .noSuchFileOrDirectory {
                return false
            }
        }
    }
}
