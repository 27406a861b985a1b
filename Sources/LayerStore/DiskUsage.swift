import Bytes
import Digests
import GRDB
import Posix
import SystemPackage

/// What a store costs on disk, and what its names would cost as plain copies.
public struct DiskUsage: Hashable, Sendable, Codable {
    /// Inodes of one kind and what they take.
    public struct Inodes: Hashable, Sendable, Codable {
        public var count = 0
        /// The sum of their sizes.
        public var bytes: UInt64 = 0
        /// Bytes of disk that the file system allocated to them.
        public var allocated: UInt64 = 0
    }

    /// One name.
    public struct Named: Hashable, Sendable, Codable {
        public var name: String
        public var kind: NamedKind
        public var entries: Int
        /// The bytes of its distinct contents: what a plain copy with its own hard links would take.
        public var bytes: UInt64
        /// The bytes that no other layer has.
        public var unique: UInt64
    }

    /// All that lies below `blobs/`: contents of files, and documents.
    public var blobs: Inodes
    /// Further inodes of a content whose metadata differ.
    public var nodes: Inodes
    /// Distinct contents that the layers name.
    public var contents: Int
    /// The sum of their sizes.
    public var contentBytes: UInt64
    /// Sorted by kind and name.
    public var names: [Named]
}

extension Store {
    /// Measures the store: inodes on the file system, shares from the index.
    public func diskUsage() throws(LayerStoreError) -> DiskUsage {
        let (blobs, nodes) = (try measure("blobs/sha256"), try measure("nodes"))
        return try currentIndex().read("read") { database in
            let distinct = try Row.fetchOne(
                database,
                sql: """
                    SELECT count(*), coalesce(sum(size), 0) FROM blobs
                    WHERE size > 0 AND id IN (SELECT blob FROM directory_entries WHERE blob IS NOT NULL)
                    """)
            return DiskUsage(
                blobs: blobs, nodes: nodes, contents: distinct?[0] ?? 0, contentBytes: distinct?[1] ?? 0,
                names: try Self.layerUsage(database) + Self.imageUsage(database))
        }
    }

    private static func layerUsage(_ database: Database) throws -> [DiskUsage.Named] {
        try Row.fetchAll(
            database,
            sql: """
                WITH uses AS MATERIALIZED (
                        SELECT DISTINCT entries.blob AS blob, layer_directories.layer AS layer
                        FROM directory_entries AS entries JOIN layer_directories USING (directory)
                        WHERE entries.blob IS NOT NULL),
                    users AS (SELECT blob, count(*) AS layers FROM uses GROUP BY blob),
                    shares AS (
                        SELECT uses.layer AS layer, sum(blobs.size) AS bytes,
                            sum(CASE WHEN users.layers = 1 THEN blobs.size ELSE 0 END) AS own
                        FROM uses JOIN users ON users.blob = uses.blob JOIN blobs ON blobs.id = uses.blob
                        GROUP BY uses.layer)
                SELECT names.name, layers.entries, coalesce(shares.bytes, 0), coalesce(shares.own, 0)
                FROM names JOIN layers ON layers.record = names.record LEFT JOIN shares ON shares.layer = layers.id
                WHERE names.kind = 'layer' ORDER BY names.name
                """
        ).map { DiskUsage.Named(name: $0[0], kind: .layer, entries: $0[1], bytes: $0[2], unique: $0[3]) }
    }

    private static func imageUsage(_ database: Database) throws -> [DiskUsage.Named] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT names.name, count(DISTINCT directories.path || '/' || entries.name),
                    (SELECT coalesce(sum(size), 0) FROM blobs WHERE id IN (
                        SELECT e.blob FROM image_layers i JOIN layer_directories d ON d.layer = i.layer
                            JOIN directory_entries e ON e.directory = d.directory
                        WHERE i.image = images.id AND e.blob IS NOT NULL))
                FROM names JOIN images ON images.record = names.record
                    JOIN image_layers ON image_layers.image = images.id
                    JOIN layer_directories ON layer_directories.layer = image_layers.layer
                    JOIN directories ON directories.id = layer_directories.directory
                    JOIN directory_entries AS entries ON entries.directory = directories.id
                WHERE names.kind = 'image' GROUP BY names.name ORDER BY names.name
                """
        ).map { DiskUsage.Named(name: $0[0], kind: .image, entries: $0[1], bytes: $0[2], unique: 0) }
    }

    /// Adds up the regular files two levels below `name`.
    private func measure(_ name: ByteString) throws(LayerStoreError) -> DiskUsage.Inodes {
        var total = DiskUsage.Inodes()
        do {
            let top = try directory.root.open(name, [.readOnly, .directory])
            for shard in try top.names() {
                let files = try top.open(shard.name, [.readOnly, .directory])
                for file in try files.names() {
                    let status = try files.status(of: file.name)
                    total.count += 1
                    total.bytes &+= status.size
                    total.allocated &+= status.allocated
                }
            }
        } catch {
            throw .system(step: "measure the store", error)
        }
        return total
    }
}
