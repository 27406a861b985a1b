import Bytes
import Digests
import Foundation
import GRDB
import Trees

/// Keeps an index equal to what blobs and references say.
struct IndexUpdate {
    private let store: Store
    private let index: LayerIndex

    init(_ store: Store, _ index: LayerIndex) {
        self.store = store
        self.index = index
    }

    /// A name of the store, and the record it stands for.
    private struct Named: Hashable {
        var kind: NamedKind
        var name: String
        var record: Digest
    }

    /// Whether the index knows every reference, and no other.
    func isCurrent() throws(LayerStoreError) -> Bool {
        try indexed() == referenced()
    }

    /// Brings the index up to date. The caller holds the commit lock, unless the index is in memory.
    func synchronise() throws(LayerStoreError) {
        let (known, wanted) = (try indexed(), try referenced())
        if known == wanted { return }
        // Documents are read before the transaction begins; it then only writes.
        var layers: [Digest: IndexedLayer] = [:]
        var images: [Digest: ImageRecord] = [:]
        for named in wanted.subtracting(known) {
            switch named.kind {
            case .layer: layers[named.record] = try IndexedLayer(named.record, in: store)
            case .image:
                let image = try store.imageRecord(named.record)
                images[named.record] = image
                for layer in image.layers { layers[layer.record] = try IndexedLayer(layer.record, in: store) }
            }
        }
        try index.write("update") { database in
            for named in known.subtracting(wanted) {
                try database.execute(
                    sql: "DELETE FROM names WHERE kind = ? AND name = ?", arguments: [named.kind.rawValue, named.name])
            }
            let contents = try ContentRows(database)
            for layer in layers.values { try layer.insert(database, contents) }
            for (digest, image) in images { try Self.insert(image, digest, database) }
            for named in wanted.subtracting(known) {
                try Self.setName(named.name, named.kind, named.record, database)
            }
            try Self.removeUnreachable(database)
        }
    }

    /// Forgets all contents but `live`, durably. The caller holds the commit lock.
    func forgetContents(except live: Set<Digest>) throws(LayerStoreError) {
        try index.write("update") { database in
            try Self.removeUnreachable(database)
            // Only what goes is held: there may be a row for each of a million contents that stay. What an entry names is not among it,
            // whatever was found to be live.
            let known = try BulkStatement(
                """
                SELECT id, digest FROM blobs
                WHERE id NOT IN (SELECT blob FROM directory_entries WHERE blob IS NOT NULL)
                """, database)
            var dead: Set<Int64> = []
            while try known.step() {
                guard let row = known.integer(0) else { continue }
                if known.digest(1).map({ !live.contains($0) }) ?? true { dead.insert(row) }
            }
            // Before the rows can be those of other contents.
            try KnownFileRows.forget(dead, database)
            let removal = try BulkStatement("DELETE FROM blobs WHERE id = ?", database)
            for row in dead {
                removal.bind(1, row)
                try removal.run()
            }
        }
    }

    static func setName(_ name: String, _ kind: NamedKind, _ record: Digest, _ database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO names (kind, name, record) VALUES (?, ?, ?)",
            arguments: [kind.rawValue, name, record.databaseValue])
    }

    static func insert(_ image: ImageRecord, _ digest: Digest, _ database: Database) throws {
        try database.execute(
            sql: "INSERT OR IGNORE INTO images (record, created, expression) VALUES (?, ?, ?)",
            arguments: [digest.databaseValue, image.created, image.expression])
        guard database.changesCount > 0 else { return }
        let identifier = database.lastInsertedRowID
        for (position, layer) in image.layers.enumerated() {
            try database.execute(
                sql: """
                    INSERT INTO image_layers (image, position, layer, name)
                    SELECT ?, ?, id, ? FROM layers WHERE record = ?
                    """, arguments: [identifier, position, layer.name, layer.record.databaseValue])
        }
    }

    /// Forgets images without a name, and layers that neither a name nor an image reaches.
    static func removeUnreachable(_ database: Database) throws {
        try database.execute(
            sql: "DELETE FROM images WHERE record NOT IN (SELECT record FROM names WHERE kind = 'image')")
        let layers = try Int64.fetchAll(
            database,
            sql: """
                SELECT id FROM layers WHERE record NOT IN (SELECT record FROM names WHERE kind = 'layer')
                    AND id NOT IN (SELECT layer FROM image_layers)
                """)
        for layer in layers {
            // The directories that no other layer has.
            try database.execute(
                sql: """
                    DELETE FROM directories WHERE id IN (SELECT directory FROM layer_directories WHERE layer = :layer)
                        AND NOT EXISTS (
                            SELECT 1 FROM layer_directories AS others
                            WHERE others.directory = directories.id AND others.layer != :layer);
                    DELETE FROM layers WHERE id = :layer;
                    """, arguments: ["layer": layer])
        }
    }

    private func referenced() throws(LayerStoreError) -> Set<Named> {
        var result: Set<Named> = []
        for kind in NamedKind.allCases {
            for name in try store.references.names(kind) {
                guard let record = try store.references.digest(of: name, kind) else { continue }
                result.insert(Named(kind: kind, name: name.text, record: record))
            }
        }
        return result
    }

    private func indexed() throws(LayerStoreError) -> Set<Named> {
        try index.read("read") { database in
            var result: Set<Named> = []
            let rows = try Row.fetchCursor(database, sql: "SELECT kind, name, record FROM names")
            while let row = try rows.next() {
                guard let kind = NamedKind(rawValue: row[0]), let record = Digest(bytes: row[2] as Data) else {
                    throw DatabaseError(message: "the table of names is damaged")
                }
                result.insert(Named(kind: kind, name: row[1], record: record))
            }
            return result
        }
    }
}
