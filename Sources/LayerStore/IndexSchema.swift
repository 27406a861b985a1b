import GRDB

/// The tables of `index.sqlite` and the views by which others may query it.
///
/// Everything in the index is derived from blobs and references. Views whose names begin with `v1_` are public (see
/// docs/index-schema.md); tables are not.
enum IndexSchema {
    /// Named, ordered, each run once.
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-layers-and-images") { database in try database.execute(sql: first + lasting) }
        migrator.registerMigration("2-inodes") { database in try database.execute(sql: second) }
        migrator.registerMigration("3-attributes-of-known-files") { database in try database.execute(sql: third) }
        migrator.registerMigration("4-layers-of-contents") { database in try database.execute(sql: fourth) }
        migrator.registerMigration("5-directories-of-layers") { database in
            try database.execute(sql: fifth)
            try DirectoryMigration.run(database)
        }
        migrator.registerMigration("6-contents-once") { database in try ContentMigration.run(database) }
        return migrator
    }

    /// A directory with all that lies directly in it is there once for all layers that have it. With the paths of every layer by themselves the
    /// index of ten variants of a root was as large as that of ten roots.
    private static let fifth = """
        DROP VIEW v1_entries;
        DROP VIEW v1_contents;
        CREATE TABLE directories (
            id INTEGER PRIMARY KEY,
            -- Of its path and of all rows of directory_entries that it has.
            digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
            -- Without a slash at its end.
            path BLOB NOT NULL
        ) STRICT;
        CREATE TABLE directory_entries (
            directory INTEGER NOT NULL REFERENCES directories ON DELETE CASCADE,
            -- Empty for the root of a layer, which lies in the directory with the empty path as what is in it does.
            name BLOB NOT NULL,
            kind TEXT NOT NULL,
            mode INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            gid INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            -- Of blobs.
            blob INTEGER,
            target BLOB,
            PRIMARY KEY (directory, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX directory_entries_by_blob ON directory_entries (blob) WHERE blob IS NOT NULL;
        CREATE TABLE layer_directories (
            layer INTEGER NOT NULL REFERENCES layers ON DELETE CASCADE,
            -- Of directories.
            directory INTEGER NOT NULL,
            PRIMARY KEY (layer, directory)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX layer_directories_by_directory ON layer_directories (directory);

        CREATE VIEW v1_entries AS
            SELECT lower(hex(layers.record)) AS layer, CAST(directories.path || '/' || entries.name AS BLOB) AS path,
                entries.kind AS kind, entries.mode AS mode, entries.uid AS uid, entries.gid AS gid,
                entries.modified AS modified, lower(hex(blobs.digest)) AS digest, blobs.size AS size,
                entries.target AS target
            FROM layers JOIN layer_directories ON layer_directories.layer = layers.id
                JOIN directories ON directories.id = layer_directories.directory
                JOIN directory_entries AS entries ON entries.directory = directories.id
                LEFT JOIN blobs ON blobs.id = entries.blob;

        CREATE VIEW v1_contents AS
            SELECT DISTINCT lower(hex(blobs.digest)) AS digest, blobs.size AS size, lower(hex(layers.record)) AS layer
            FROM directory_entries AS entries JOIN blobs ON blobs.id = entries.blob
                JOIN layer_directories ON layer_directories.directory = entries.directory
                JOIN layers ON layers.id = layer_directories.layer
            WHERE entries.blob IS NOT NULL;
        """

    /// An index of the entries by their contents repeated every path, and was a third of what a layer costs. Which layers have a content takes
    /// a small part of that, and is all that is asked. Entries do not refer to blobs as a foreign key: SQLite would look through all of them for
    /// each blob that is removed.
    private static let fourth = """
        DROP VIEW v1_entries;
        CREATE TABLE layer_entries (
            layer INTEGER NOT NULL REFERENCES layers ON DELETE CASCADE,
            path BLOB NOT NULL,
            kind TEXT NOT NULL,
            mode INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            gid INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            -- Of blobs.
            blob INTEGER,
            target BLOB,
            PRIMARY KEY (layer, path)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO layer_entries SELECT layer, path, kind, mode, uid, gid, modified, blob, target FROM entries ORDER BY layer, path;
        DROP TABLE entries;

        CREATE TABLE content_layers (
            blob INTEGER NOT NULL,
            layer INTEGER NOT NULL,
            PRIMARY KEY (blob, layer)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO content_layers SELECT DISTINCT blob, layer FROM layer_entries WHERE blob IS NOT NULL ORDER BY blob, layer;

        CREATE VIEW v1_entries AS
            SELECT lower(hex(layers.record)) AS layer, layer_entries.path AS path, layer_entries.kind AS kind,
                layer_entries.mode AS mode, layer_entries.uid AS uid, layer_entries.gid AS gid,
                layer_entries.modified AS modified, lower(hex(blobs.digest)) AS digest, blobs.size AS size,
                layer_entries.target AS target
            FROM layer_entries JOIN layers ON layers.id = layer_entries.layer LEFT JOIN blobs ON blobs.id = layer_entries.blob;

        CREATE VIEW v1_contents AS
            SELECT lower(hex(blobs.digest)) AS digest, blobs.size AS size, lower(hex(layers.record)) AS layer
            FROM content_layers JOIN blobs ON blobs.id = content_layers.blob JOIN layers ON layers.id = content_layers.layer;
        """

    private static let third = """
        -- Whether a known file may have attributes that images carry. Those that were met before this was noted may.
        ALTER TABLE known_files ADD COLUMN attributes INTEGER NOT NULL DEFAULT 1;
        """

    private static let second = """
        -- What stat(2) said of blobs when they were known to be good.
        CREATE TABLE inodes (
            digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
            inode INTEGER NOT NULL,
            size INTEGER NOT NULL,
            modified_seconds INTEGER NOT NULL,
            modified_nanoseconds INTEGER NOT NULL,
            mode INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            gid INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    private static let first = """
        -- Digests are interned: a 32-byte key would be repeated in every entry.
        CREATE TABLE blobs (
            id INTEGER PRIMARY KEY,
            digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
            size INTEGER NOT NULL
        ) STRICT;

        -- One row per layer record that a name or an image reaches.
        CREATE TABLE layers (
            id INTEGER PRIMARY KEY,
            record BLOB NOT NULL UNIQUE CHECK (length(record) = 32),
            tree BLOB NOT NULL,
            diff_id BLOB NOT NULL,
            created TEXT NOT NULL,
            source TEXT NOT NULL,
            entries INTEGER NOT NULL,
            size INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE entries (
            layer INTEGER NOT NULL REFERENCES layers ON DELETE CASCADE,
            path BLOB NOT NULL,
            kind TEXT NOT NULL,
            mode INTEGER NOT NULL,
            uid INTEGER NOT NULL,
            gid INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            blob INTEGER REFERENCES blobs,
            target BLOB,
            PRIMARY KEY (layer, path)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX entries_by_blob ON entries (blob) WHERE blob IS NOT NULL;

        -- States of host files whose content is known: the stat cache.
        CREATE TABLE known_files (
            device INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            size INTEGER NOT NULL,
            modified_seconds INTEGER NOT NULL,
            modified_nanoseconds INTEGER NOT NULL,
            changed_seconds INTEGER NOT NULL,
            changed_nanoseconds INTEGER NOT NULL,
            digest BLOB NOT NULL,
            PRIMARY KEY (device, inode)
        ) STRICT, WITHOUT ROWID;

        CREATE VIEW v1_entries AS
            SELECT lower(hex(layers.record)) AS layer, entries.path AS path, entries.kind AS kind,
                entries.mode AS mode, entries.uid AS uid, entries.gid AS gid, entries.modified AS modified,
                lower(hex(blobs.digest)) AS digest, blobs.size AS size, entries.target AS target
            FROM entries JOIN layers ON layers.id = entries.layer LEFT JOIN blobs ON blobs.id = entries.blob;

        """

    /// What no migration after the first has changed; ``create(_:)`` makes it too.
    static let lasting = """
        CREATE TABLE edges (
            layer INTEGER NOT NULL REFERENCES layers ON DELETE CASCADE,
            position INTEGER NOT NULL,
            from_path BLOB,
            to_path BLOB NOT NULL,
            kind TEXT NOT NULL,
            name BLOB,
            found TEXT,
            PRIMARY KEY (layer, position)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE images (
            id INTEGER PRIMARY KEY,
            record BLOB NOT NULL UNIQUE CHECK (length(record) = 32),
            created TEXT NOT NULL,
            expression TEXT NOT NULL
        ) STRICT;

        CREATE TABLE image_layers (
            image INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
            position INTEGER NOT NULL,
            layer INTEGER NOT NULL REFERENCES layers,
            name TEXT NOT NULL,
            PRIMARY KEY (image, position)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE names (
            kind TEXT NOT NULL CHECK (kind IN ('layer', 'image')),
            name TEXT NOT NULL,
            record BLOB NOT NULL,
            PRIMARY KEY (kind, name)
        ) STRICT, WITHOUT ROWID;

        -- What the references looked like when they were last compared with this index.
        CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

        CREATE VIEW v1_layers AS
            SELECT names.name AS name, lower(hex(layers.record)) AS record, lower(hex(layers.tree)) AS tree,
                lower(hex(layers.diff_id)) AS diff_id, layers.created AS created, layers.source AS source,
                layers.entries AS entries, layers.size AS size
            FROM layers LEFT JOIN names ON names.kind = 'layer' AND names.record = layers.record;

        CREATE VIEW v1_edges AS
            SELECT lower(hex(layers.record)) AS layer, edges.position AS position, edges.from_path AS from_path,
                edges.to_path AS to_path, edges.kind AS kind, edges.name AS name, edges.found AS found
            FROM edges JOIN layers ON layers.id = edges.layer;

        CREATE VIEW v1_images AS
            SELECT names.name AS name, lower(hex(images.record)) AS record, images.created AS created,
                images.expression AS expression, image_layers.position AS position,
                image_layers.name AS layer_name, lower(hex(layers.record)) AS layer
            FROM images JOIN image_layers ON image_layers.image = images.id
                JOIN layers ON layers.id = image_layers.layer
                LEFT JOIN names ON names.kind = 'image' AND names.record = images.record;
        """
}
