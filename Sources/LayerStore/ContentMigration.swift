import Digests
import GRDB
import Posix

/// Takes over an index in which every table that named a content had its digest.
enum ContentMigration {
    private static let old = """
        DROP VIEW v1_entries;
        DROP VIEW v1_contents;
        ALTER TABLE blobs RENAME TO old_blobs;
        ALTER TABLE inodes RENAME TO old_inodes;
        ALTER TABLE known_files RENAME TO old_known_files;
        ALTER TABLE directories RENAME TO old_directories;
        ALTER TABLE directory_entries RENAME TO old_directory_entries;
        ALTER TABLE layer_directories RENAME TO old_layer_directories;
        ALTER TABLE layers ADD COLUMN modified INTEGER NOT NULL DEFAULT 0;
        """

    private static let drops = """
        DROP TABLE old_layer_directories;
        DROP TABLE old_directory_entries;
        DROP TABLE old_directories;
        DROP TABLE old_known_files;
        DROP TABLE old_inodes;
        DROP TABLE old_blobs;
        """

    static func run(_ database: Database) throws {
        try database.execute(sql: old + IndexSchema.contentTables)
        let contents = try ContentRows(database)
        try takeInodes(contents, database)
        try takeKnownFiles(contents, database)
        try takeDirectories(contents, database)
        try database.execute(sql: drops + IndexSchema.contentViews)
    }

    private static func takeInodes(_ contents: ContentRows, _ database: Database) throws {
        let old = try BulkStatement(
            """
            SELECT digest, inode, size, modified_seconds, modified_nanoseconds, mode, uid, gid FROM old_inodes
            ORDER BY digest
            """, database)
        while try old.step() {
            guard let digest = old.digest(0), let inode = old.integer(1),
                let size = old.integer(2).flatMap({ UInt64(exactly: $0) }), let seconds = old.integer(3),
                let nanoseconds = old.integer(4).flatMap({ UInt32(exactly: $0) }),
                let mode = old.integer(5).flatMap({ UInt16(exactly: $0) }),
                let uid = old.integer(6).flatMap({ UInt32(exactly: $0) }),
                let gid = old.integer(7).flatMap({ UInt32(exactly: $0) })
            else { continue }
            let state = InodeFingerprint(
                inode: UInt64(bitPattern: inode), size: size,
                modified: FileTime(seconds: seconds, nanoseconds: nanoseconds), mode: mode, uid: uid, gid: gid)
            try contents.remember(state, of: digest)
        }
    }

    private static func takeKnownFiles(_ contents: ContentRows, _ database: Database) throws {
        let old = try BulkStatement(
            """
            SELECT device, inode, size, modified_seconds, modified_nanoseconds, changed_seconds, changed_nanoseconds,
                digest, attributes
            FROM old_known_files ORDER BY device, inode
            """, database)
        let known = try KnownFileRows(database)
        while try old.step() {
            guard let device = old.integer(0), let inode = old.integer(1), let size = old.integer(2),
                let modified = time(old, 3), let changed = time(old, 5), let digest = old.digest(7)
            else { continue }
            try known.remember(
                device: device, inode: inode, modified: modified, changed: changed,
                content: contents.row(of: digest, size: size), hasAttributes: old.integer(8) != 0)
        }
        try known.finish()
    }

    private static func time(_ row: BulkStatement, _ column: Int32) -> FileTime? {
        guard let seconds = row.integer(column),
            let nanoseconds = row.integer(column + 1).flatMap({ UInt32(exactly: $0) })
        else { return nil }
        return FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// Directories that differ only in the newest times of their layers become one.
    private static func takeDirectories(_ contents: ContentRows, _ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE layers SET modified = coalesce((
                    SELECT max(entries.modified) FROM old_layer_directories AS uses
                        JOIN old_directory_entries AS entries ON entries.directory = uses.directory
                    WHERE uses.layer = layers.id), 0)
                """)
        let insertion = try DirectoryInsertion(database, contents)
        let old = try BulkStatement(
            """
            SELECT uses.directory, layers.modified, uses.layer, old_directories.path
            FROM old_layer_directories AS uses JOIN layers ON layers.id = uses.layer
                JOIN old_directories ON old_directories.id = uses.directory
            ORDER BY 1, 2, 3
            """, database)
        let members = try BulkStatement(
            """
            SELECT name, kind, mode, uid, gid, modified, old_blobs.digest, old_blobs.size, target
            FROM old_directory_entries LEFT JOIN old_blobs ON old_blobs.id = blob WHERE directory = ? ORDER BY name
            """, database)
        var current: (old: Int64, newest: Int64, row: Int64)?
        while try old.step() {
            guard let directory = old.integer(0), let newest = old.integer(1), let layer = old.integer(2) else {
                continue
            }
            if current?.old != directory || current?.newest != newest {
                var taken = IndexedDirectory(path: old.bytes(3) ?? [])
                members.bind(1, directory)
                while try members.step() { taken.members.append(member(members, newest: newest)) }
                current = (directory, newest, try insertion.row(of: taken))
            }
            if let current { try insertion.insert(current.row, of: layer) }
        }
    }

    private static func member(_ row: BulkStatement, newest: Int64) -> IndexedDirectory.Member {
        var member = IndexedDirectory.Member(
            name: row.bytes(0) ?? [], kind: row.text(1) ?? "", mode: row.integer(2) ?? 0, uid: row.integer(3) ?? 0,
            gid: row.integer(4) ?? 0, modified: row.integer(5))
        if let digest = row.digest(6), let size = row.integer(7) { member.content = (digest, size) }
        member.target = row.bytes(8)
        if member.modified == newest, member.kind != "file" { member.modified = nil }
        return member
    }
}

extension BulkStatement {
    fileprivate func bytes(_ column: Int32) -> [UInt8]? { withBlob(column) { [UInt8]($0) } }
}
