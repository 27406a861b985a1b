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
    func insert(_ database: Database, _ contents: ContentRows) throws {
        let newest = tree.entries.newest?.seconds ?? 0
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO layers (record, tree, diff_id, created, source, entries, size, modified)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                digest.databaseValue, record.tree.databaseValue, record.diffID.digest.databaseValue, record.created,
                record.source, tree.entries.count, Int64(clamping: tree.size), newest,
            ])
        guard database.changesCount > 0 else { return }
        let layer = database.lastInsertedRowID
        try insertEntries(of: layer, newest, database, contents)
        try insertEdges(of: layer, database)
    }

    private func insertEntries(
        of layer: Int64, _ newest: Int64, _ database: Database, _ contents: ContentRows
    ) throws {
        let insertion = try DirectoryInsertion(database, contents)
        let directories = TreeDirectories(tree)
        for number in 0..<directories.count {
            let path = tree.entries.path(at: directories.position(number))
            var directory = IndexedDirectory(path: path.isRoot ? [] : path.bytes.bytes)
            if path.isRoot { directory.members.append(.init(tree.entries[0], name: [], newest: newest)) }
            for position in directories.children(number) {
                let entry = tree.entries[position]
                let name = entry.path.withParts { Array($1) }
                directory.members.append(.init(entry, name: name, newest: newest))
            }
            if !directory.members.isEmpty { try insertion.insert(directory, of: layer) }
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
}
