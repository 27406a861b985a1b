import Bytes
public import Digests
import Foundation
import GRDB
import Posix
import Synchronization
public import Trees

/// What naming a layer or image came to.
public enum CommitOutcome: Hashable, Sendable {
    /// The name is new.
    case created
    /// The name stood for the same already; nothing was changed.
    case unchanged
    /// The name stood for something else, which it no longer does.
    case replaced
}

extension StoreSession {
    /// Finds out, before anything is published, whether ``commit(layer:tree:provenance:source:created:platform:diffID:cachedLibraries:replacing:known:)``
    /// would refuse `name` for `tree`.
    ///
    /// - Returns: whether the name stands for this tree already, so that there is nothing to commit.
    /// - Throws: ``LayerStoreError/nameTaken(_:detail:)``.
    public func checkAvailable(_ name: Name, for tree: Tree, replacing: Bool) throws(LayerStoreError) -> Bool {
        try store.checkAvailable(name, for: tree, replacing: replacing)
    }

    fileprivate static func detail(_ difference: TreeDifference) -> String {
        "it has other content: \(difference). --replace replaces it"
    }

    /// Publishes everything staged, then makes `name` stand for a layer with this tree.
    ///
    /// - Parameter known: host files that were read, to be remembered by their state.
    /// - Throws: ``LayerStoreError/nameTaken(_:detail:)`` when the name stands for another tree, or for an image, and
    ///   `replacing` is false. Whatever is thrown, no name has changed.
    public func commit(
        layer name: Name, tree: Tree, provenance: Provenance?, source: String, created: String, platform: String?,
        diffID: DiffID, cachedLibraries: [CachedLibrary]? = nil, replacing: Bool, known: [SourceFile] = [],
        skeleton: Skeleton? = nil
    ) throws(LayerStoreError) -> CommitOutcome {
        let layer = try stage(
            stage(documentsOf: tree, provenance), source: source, created: created, platform: platform, diffID: diffID,
            cachedLibraries: cachedLibraries, skeleton: skeleton)
        return try commit(layer: name, layer, replacing: replacing, known: known)
    }

    /// The documents of a layer that are known before its diffID is.
    public struct StagedDocuments: Sendable {
        fileprivate var tree: Tree
        fileprivate var staged: StagedTree
        fileprivate var provenance: (document: Provenance, digest: Digest)?
    }

    /// A layer that only lacks a name.
    public struct StagedLayer: Sendable {
        fileprivate var digest: Digest
        fileprivate var record: LayerRecord
        fileprivate var tree: Tree
        fileprivate var provenance: Provenance?
    }

    /// Takes the tree of a layer, and its provenance. Safe to call while other threads read what is staged, and flush it.
    public func stage(
        documentsOf tree: Tree, _ provenance: Provenance?
    ) throws(LayerStoreError) -> StagedDocuments {
        var documents = StagedDocuments(tree: tree, staged: try stage(tree))
        if let provenance { documents.provenance = (provenance, try stage(bytes: provenance.json())) }
        return documents
    }

    /// Takes the record of a layer.
    public func stage(
        _ documents: StagedDocuments, source: String, created: String, platform: String?, diffID: DiffID,
        cachedLibraries: [CachedLibrary]? = nil, skeleton: Skeleton? = nil
    ) throws(LayerStoreError) -> StagedLayer {
        let (tree, staged) = (documents.tree, documents.staged)
        let record = LayerRecord(
            created: created, source: source, platform: platform, entries: tree.entries.count, size: tree.size,
            tree: staged.digest, treeParts: staged.parts, treeTime: staged.time, diffID: diffID,
            provenance: documents.provenance?.digest, cachedLibraries: cachedLibraries, skeleton: try stage(skeleton))
        return StagedLayer(
            digest: try stage(bytes: StoreJSON.encode(record, what: "the layer record")), record: record, tree: tree,
            provenance: documents.provenance?.document)
    }

    /// Publishes what is staged and was not published yet, then makes `name` stand for `layer`.
    ///
    /// - Throws: as ``commit(layer:tree:provenance:source:created:platform:diffID:cachedLibraries:replacing:known:skeleton:)``.
    public func commit(
        layer name: Name, _ layer: StagedLayer, replacing: Bool, known: [SourceFile] = []
    ) throws(LayerStoreError) -> CommitOutcome {
        let record = layer.record
        return try commit(name, .layer, layer.digest, replacing: replacing) { (old) throws(LayerStoreError) in
            let existing = try store.layerRecord(old)
            guard existing.tree != record.tree else {
                guard record.skeleton != nil, existing.diffID != record.diffID else { return nil }
                return "it has the same files in another tar. --replace replaces it"
            }
            return Self.detail(TreeDifference(from: try store.tree(of: existing), to: layer.tree))
        } update: { database, contents in
            try LayerIndex.withLargeCache(for: layer.tree, database) {
                try IndexedLayer(digest: layer.digest, record: record, tree: layer.tree, provenance: layer.provenance)
                    .insert(database, contents)
            }
            try Self.remember(known + self.takeUnremembered(), contents, database)
        }
    }

    /// Takes the documents of a layer that gets no name of its own, but is part of an image.
    ///
    /// - Returns: the digest of its record.
    public func stage(
        layer tree: Tree, source: String, created: String, platform: String?, diffID: DiffID, skeleton: Skeleton?
    ) throws(LayerStoreError) -> Digest {
        let staged = try stage(tree)
        let record = LayerRecord(
            created: created, source: source, platform: platform, entries: tree.entries.count, size: tree.size,
            tree: staged.digest, treeParts: staged.parts, treeTime: staged.time, diffID: diffID, provenance: nil,
            skeleton: try stage(skeleton))
        return try stage(bytes: StoreJSON.encode(record, what: "the layer record"))
    }

    private func stage(_ skeleton: Skeleton?) throws(LayerStoreError) -> Digest? {
        guard let skeleton else { return nil }
        return try stage(bytes: skeleton.text)
    }

    /// Publishes everything staged, then makes `name` stand for this image.
    ///
    /// - Throws: ``LayerStoreError/nameTaken(_:detail:)`` as for layers.
    public func commit(image name: Name, _ record: ImageRecord, replacing: Bool) throws(LayerStoreError)
        -> CommitOutcome
    {
        let digest = try stage(bytes: StoreJSON.encode(record, what: "the image record"))
        return try commit(name, .image, digest, replacing: replacing) { (old) throws(LayerStoreError) in
            var existing = try store.imageRecord(old)
            existing.created = record.created
            return existing == record
                ? nil : "it is the image \(existing.expression) with other layers or settings. --replace replaces it"
        } update: { database, contents in
            for layer in record.layers { try IndexedLayer(layer.record, in: self.store).insert(database, contents) }
            try IndexUpdate.insert(record, digest, database)
        }
    }

    /// - Parameter difference: says how the record that the name stands for now differs; nil when it does not.
    private func commit(
        _ name: Name, _ kind: NamedKind, _ digest: Digest, replacing: Bool,
        difference: (Digest) throws(LayerStoreError) -> String?, update: (Database, ContentRows) throws -> Void
    ) throws(LayerStoreError) -> CommitOutcome {
        // Which takes the same lock.
        try recordDepartures()
        return try store.whileCommitting { () throws(LayerStoreError) in
            try commitLocked(name, kind, digest, replacing: replacing, difference: difference, update: update)
        }
    }

    private func commitLocked(
        _ name: Name, _ kind: NamedKind, _ digest: Digest, replacing: Bool,
        difference: (Digest) throws(LayerStoreError) -> String?, update: (Database, ContentRows) throws -> Void
    ) throws(LayerStoreError) -> CommitOutcome {
        let other: NamedKind = kind == .layer ? .image : .layer
        if try store.references.digest(of: name, other) != nil {
            throw .nameTaken(name.text, detail: "it is the name of \(other == .image ? "an image" : "a layer")")
        }
        let old = try store.references.digest(of: name, kind)
        if let old {
            let detail = old == digest ? nil : try difference(old)
            guard let detail else {
                // The name keeps the record that it has.
                if digest != old, let staged = pending.withLock({ $0.removeValue(forKey: digest) }) {
                    staging.discard(staged.name)
                }
                // The rest takes the place of what was damaged or missing.
                if !waiting.isEmpty || !resting.shards.isEmpty { try publish() }
                try store.recordInodesLocked()
                return .unchanged
            }
            guard replacing else { throw .nameTaken(name.text, detail: detail) }
        }
        guard store.isWritable else { throw .readOnly(store.path, reason: "it was opened for reading") }
        try flushMuch()
        // Whatever a command that died left out is made good first, so that the index is whole again.
        if let index = store.writableIndex { try IndexUpdate(store, index).synchronise() }
        // What is given its name together with its directory keeps its state.
        let expected = store.tamperGuard.takeUnrecorded()
            .merging(pending.withLock { $0.compactMapValues(\.state) }) { _, new in new }
        // Only now, so that a name that is refused leaves nothing behind.
        let naming = Naming { [self] () throws(LayerStoreError) in
            try publish()
            try store.references.set(name, kind, to: digest, staging: staging)
        }
        // The layers of an image are read to make its rows.
        if kind == .image { try naming.finish() }
        // The rows of a layer are made meanwhile (docs/decisions/0037), and become the index's once the reference is written: the name has
        // changed then, whatever becomes of the index. On a full disk it stays behind, and the next command brings it up to date.
        try? store.writableIndex?.write("update") { database in
            let contents = try ContentRows(database)
            // First: they come in the order of their digests, which fills the tables' pages.
            try InodeFingerprint.record(expected, contents)
            try update(database, contents)
            try IndexUpdate.setName(name.text, kind, digest, database)
            try IndexUpdate.removeUnreachable(database)
            try naming.finish()
            let others = store.tamperGuard.takeUnrecorded().filter { expected[$0.key] != $0.value }
            try InodeFingerprint.record(others, contents)
        }
        try naming.finish()
        return old == nil ? .created : .replaced
    }
}

extension Store {
    /// See ``StoreSession/checkAvailable(_:for:replacing:)``.
    func checkAvailable(_ name: Name, for tree: Tree, replacing: Bool) throws(LayerStoreError) -> Bool {
        guard let found = try lookUpOwn(name) else { return false }
        guard found.kind == .layer else { throw .nameTaken(name.text, detail: "it is the name of an image") }
        let record = try layerRecord(found.record)
        // A tree has one dump: with the same digest there is nothing to compare. What cannot be believed is read.
        let digest = Self.dumpDigest(of: tree)
        if record.tree == digest, try isWhole(record.treeDocuments) { return true }
        let difference = TreeDifference(from: try self.tree(of: record), to: tree)
        if !difference.isEmpty, !replacing { throw .nameTaken(name.text, detail: StoreSession.detail(difference)) }
        return difference.isEmpty
    }

    /// The digest of the tree's dump, which all cores write and one hashes.
    private static func dumpDigest(of tree: Tree) -> Digest {
        var hasher = DigestHasher()
        let (parts, pool) = (TreeDump.Parts(tree), WorkerPool())
        // A few at a time: a dump may have hundreds of megabytes.
        let few = pool.workers * 8
        for start in stride(from: 0, to: parts.count, by: few) {
            let texts = pool.map(min(few, parts.count - start)) { number -> [UInt8] in
                var text: [UInt8] = []
                text.reserveCapacity(textSize)
                parts.encode(start + number, into: &text)
                return text
            }
            for text in texts { text.withUnsafeBytes { hasher.update($0) } }
        }
        return hasher.finalize()
    }

    /// Of most parts.
    private static let textSize = 1 << 17

    /// Whether all of `documents` are there, and as far as their inodes tell as they were.
    private func isWhole(_ documents: [Digest]) throws(LayerStoreError) -> Bool {
        for digest in documents {
            guard let place = try blobs.find(digest), try tamperGuard.fault(digest, place.status) == nil else {
                return false
            }
        }
        return true
    }
}
