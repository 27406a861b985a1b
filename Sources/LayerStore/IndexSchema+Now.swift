import GRDB

/// The tables as they are now.
extension IndexSchema {
    /// Makes all tables in a file that has none: what the migrations come to, in a fraction of the time.
    static func create(_ database: Database) throws {
        try database.execute(sql: layerTables + lasting + contentTables + contentViews)
        // As the migrator notes what it has done.
        try database.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        for migration in migrator().migrations {
            try database.execute(sql: "INSERT INTO grdb_migrations VALUES (?)", arguments: [migration])
        }
    }

    private static let layerTables = """
        -- One row per layer record that a name or an image reaches.
        CREATE TABLE layers (
            id INTEGER PRIMARY KEY,
            record BLOB NOT NULL UNIQUE CHECK (length(record) = 32),
            tree BLOB NOT NULL,
            diff_id BLOB NOT NULL,
            created TEXT NOT NULL,
            source TEXT NOT NULL,
            entries INTEGER NOT NULL,
            size INTEGER NOT NULL,
            -- The newest time in the layer.
            modified INTEGER NOT NULL DEFAULT 0
        ) STRICT;

        """

    /// What names contents. The sixth migration makes them as well: whatever becomes of them later needs this text there.
    static let contentTables = """
        -- Of files of layers, of documents of the store, and of host files that were met.
        CREATE TABLE blobs (
            id INTEGER PRIMARY KEY,
            digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
            size INTEGER NOT NULL,
            -- What stat(2) said of the blob when it was known to be good, as InodeFingerprint packs it.
            inode BLOB
        ) STRICT;
        -- States of host files whose content is known: the stat cache. A row is of files whose inodes are neighbours.
        CREATE TABLE known_files (
            device INTEGER NOT NULL,
            number INTEGER NOT NULL,
            -- As KnownFileGroup packs them; their contents are rows of blobs.
            files BLOB NOT NULL,
            PRIMARY KEY (device, number)
        ) STRICT, WITHOUT ROWID;
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
            -- NULL for the newest time in the layer.
            modified INTEGER,
            -- Of blobs.
            blob INTEGER,
            target BLOB,
            PRIMARY KEY (directory, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE layer_directories (
            layer INTEGER NOT NULL REFERENCES layers ON DELETE CASCADE,
            -- Of directories.
            directory INTEGER NOT NULL,
            PRIMARY KEY (layer, directory)
        ) STRICT, WITHOUT ROWID;

        """

    /// What is made when there is something in them.
    static let contentViews = """
        CREATE INDEX directory_entries_by_blob ON directory_entries (blob) WHERE blob IS NOT NULL;
        CREATE INDEX layer_directories_by_directory ON layer_directories (directory);

        CREATE VIEW v1_entries AS
            SELECT lower(hex(layers.record)) AS layer, CAST(directories.path || '/' || entries.name AS BLOB) AS path,
                entries.kind AS kind, entries.mode AS mode, entries.uid AS uid, entries.gid AS gid,
                coalesce(entries.modified, layers.modified) AS modified, lower(hex(blobs.digest)) AS digest, blobs.size AS size,
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
}
