import Bytes
import Digests
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
        let blobs = try BulkStatement("INSERT OR IGNORE INTO blobs (digest, size) VALUES (?, ?)", database)
        let identifier = try BulkStatement("SELECT id FROM blobs WHERE digest = ?", database)
        let uses = try BulkStatement("INSERT OR IGNORE INTO content_layers (blob, layer) VALUES (?, ?)", database)
        uses.bind(2, layer)
        // In the order of the primary key, which is that of the tree.
        let entries = try BulkStatement(
            """
            INSERT INTO layer_entries (layer, path, kind, mode, uid, gid, modified, blob, target)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, database)
        for entry in tree.entries {
            let metadata = entry.metadata
            entries.bind(1, layer)
            entries.bind(2, blob: entry.path.bytes.bytes)
            entries.bind(3, text: entry.kind.indexName)
            entries.bind(4, Int64(metadata.mode))
            entries.bind(5, Int64(metadata.uid))
            entries.bind(6, Int64(metadata.gid))
            entries.bind(7, metadata.modified.seconds)
            entries.bindNull(8)
            if case .file(let content, let size) = entry.kind {
                blobs.bind(1, content)
                blobs.bind(2, Int64(clamping: size))
                try blobs.run()
                identifier.bind(1, content)
                if try identifier.step() {
                    if let id = identifier.integer(0) {
                        entries.bind(8, id)
                        uses.bind(1, id)
                        try uses.run()
                    }
                    identifier.reset()
                }
            }
            entries.bind(9, blob: entry.kind.indexTarget)
            try entries.run()
        }
    }

    private func insertEdges(of layer: Int64, _ database: Database) throws {
        let edges = try BulkStatement(
            """
            INSERT INTO edges (layer, position, from_path, to_path, kind, name, found)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """, database)
        for (position, edge) in (provenance?.edges ?? []).enumerated() {
            edges.bind(1, layer)
            edges.bind(2, Int64(position))
            edges.bind(3, blob: edge.from?.bytes.bytes)
            edges.bind(4, blob: edge.to.bytes.bytes)
            edges.bind(5, text: edge.kind)
            edges.bind(6, blob: edge.name?.bytes)
            edges.bind(7, text: edge.found)
            try edges.run()
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

    fileprivate var indexTarget: [UInt8]? {
        if case .symlink(let target) = self { target.bytes } else { nil }
    }
}
