import Bytes
import Digests
import Foundation
import GRDB
public import Trees

/// A layer with all that the index knows of it.
struct IndexedLayer {
    var digest: Digest
    var record: LayerRecord
    var tree: Tree
    var provenance: Provenance?

    init(digest: Digest, record: LayerRecord, tree: Tree, provenance: Provenance?) {
        (self.digest, self.record, self.tree, self.provenance) = (digest, record, tree, provenance)
    }

    /// Reads the layer's documents.
    init(_ digest: Digest, in store: Store) throws(LayerStoreError) {
        let record = try store.layerRecord(digest)
        self.init(
            digest: digest, record: record, tree: try store.tree(of: record),
            provenance: try store.provenance(of: record))
    }

    /// Adds the layer, its entries and edges, unless the index has it.
    func insert(_ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO layers (record, tree, diff_id, created, source, entries, size)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                digest.databaseValue, record.tree.databaseValue, record.diffID.digest.databaseValue, record.created,
                record.source, tree.entries.count, Int64(clamping: tree.size),
            ])
        guard database.changesCount > 0 else { return }
        let layer = database.lastInsertedRowID
        try insertEntries(of: layer, database)
        try insertEdges(of: layer, database)
    }

    private func insertEntries(of layer: Int64, _ database: Database) throws {
        let blobs = try database.cachedStatement(sql: "INSERT OR IGNORE INTO blobs (digest, size) VALUES (?, ?)")
        // In the order of the primary key, which is that of the tree.
        let entries = try database.cachedStatement(
            sql: """
                INSERT INTO entries (layer, path, kind, mode, uid, gid, modified, blob, target)
                VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT id FROM blobs WHERE digest = ?), ?)
                """)
        for entry in tree.entries {
            var digest: Data?
            if case .file(let content, let size) = entry.kind {
                digest = content.databaseValue
                try blobs.execute(arguments: [digest, Int64(clamping: size)])
            }
            let metadata = entry.metadata
            try entries.execute(arguments: [
                layer, Data(entry.path.bytes.bytes), entry.kind.indexName, metadata.mode, metadata.uid, metadata.gid,
                metadata.modified.seconds, digest, entry.kind.indexTarget,
            ])
        }
    }

    private func insertEdges(of layer: Int64, _ database: Database) throws {
        let edges = try database.cachedStatement(
            sql: """
                INSERT INTO edges (layer, position, from_path, to_path, kind, name, found)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        for (position, edge) in (provenance?.edges ?? []).enumerated() {
            try edges.execute(arguments: [
                layer, position, edge.from.map { Data($0.bytes.bytes) }, Data(edge.to.bytes.bytes), edge.kind,
                edge.name.map { Data($0.bytes) }, edge.found,
            ])
        }
    }
}

extension Entry.Kind {
    /// The word for the kind in the index and in JSON.
    public var indexName: String {
        switch self {
        case .directory: "directory"
        case .file: "file"
        case .symlink: "symlink"
        case .characterDevice: "character-device"
        case .blockDevice: "block-device"
        case .fifo: "fifo"
        case .whiteout: "whiteout"
        }
    }

    fileprivate var indexTarget: Data? {
        if case .symlink(let target) = self { Data(target.bytes) } else { nil }
    }
}
