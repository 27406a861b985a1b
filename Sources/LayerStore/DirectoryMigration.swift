import Bytes
import Digests
import Foundation
import GRDB

/// Takes over an index that has the paths of every layer by themselves.
enum DirectoryMigration {
    static func run(_ database: Database) throws {
        let functions = [
            part("layerfs_directory") { directory, _ in directory }, part("layerfs_name") { _, name in name },
        ]
        for function in functions { database.add(function: function) }
        defer { for function in functions { database.remove(function: function) } }
        // The names of a directory do not follow each other in the order of paths.
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT layer, layerfs_directory(path), layerfs_name(path), kind, mode, uid, gid, modified, blobs.digest, blobs.size, target
                FROM layer_entries LEFT JOIN blobs ON blobs.id = layer_entries.blob ORDER BY 1, 2, 3
                """)
        let insertion = try DirectoryInsertion(database, ContentRows(database))
        var current: (layer: Int64, directory: IndexedDirectory)?
        while let row = try rows.next() {
            let (layer, path) = (row[0] as Int64, bytes(row[1]) ?? [])
            if let done = current, done.layer != layer || done.directory.path != path {
                try insertion.insert(done.directory, of: done.layer)
                current = nil
            }
            var next = current ?? (layer, IndexedDirectory(path: path))
            current = nil
            var member = IndexedDirectory.Member(
                name: bytes(row[2]) ?? [], kind: row[3], mode: row[4], uid: row[5], gid: row[6], modified: row[7])
            if let digest = (row[8] as Data?).flatMap({ Digest(bytes: $0) }) { member.content = (digest, row[9]) }
            member.target = bytes(row[10])
            next.directory.members.append(member)
            current = next
        }
        if let done = current { try insertion.insert(done.directory, of: done.layer) }
        try database.execute(sql: "DROP TABLE layer_entries; DROP TABLE content_layers")
    }

    /// An empty BLOB may come as NULL from a function.
    private static func bytes(_ data: Data?) -> [UInt8]? { data.map { [UInt8]($0) } }

    /// A function of SQL that gives a part of a path: its directory without a slash at the end, or its name.
    private static func part(
        _ name: String, _ part: @escaping @Sendable (Data, Data) -> Data
    ) -> DatabaseFunction {
        DatabaseFunction(name, argumentCount: 1, pure: true) { values in
            guard let path = Data.fromDatabaseValue(values[0]), let slash = path.lastIndex(of: UInt8(ascii: "/")) else {
                return Data()
            }
            return part(path[..<slash], path[(slash + 1)...])
        }
    }
}
