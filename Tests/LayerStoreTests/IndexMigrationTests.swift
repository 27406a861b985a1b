import Bytes
import Digests
import Foundation
import GRDB
import Posix
import Testing
import Trees

@testable import LayerStore

struct IndexMigrationTests {
    /// What an index of another version says by its public views.
    private static func rows(_ database: Database, _ view: String) throws -> [String] {
        try Row.fetchAll(database, sql: "SELECT * FROM \(view) ORDER BY 1, 2, 3").map { "\($0)" }
    }

    /// All that a database has, in words that do not tell how it came to that.
    private static func shape(_ database: Database) throws -> [String] {
        let objects = try Row.fetchAll(
            database, sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
        return try objects.flatMap { object -> [String] in
            let (type, name) = (object[0] as String, object[1] as String)
            guard type == "table" else { return ["\(object)"] }
            let facts = ["table_list", "table_xinfo", "foreign_key_list", "index_list"].map {
                "pragma_\($0)('\(name)')"
            }
            return try [name] + facts.flatMap { try Row.fetchAll(database, sql: "SELECT * FROM \($0)").map { "\($0)" } }
        }
    }

    @Test func whatIsMadeAtOnceIsWhatTheMigrationsComeTo() throws {
        let (made, migrated) = (try DatabaseQueue(), try DatabaseQueue())
        try made.write(IndexSchema.create)
        try IndexSchema.migrator().migrate(migrated)
        let shape = try made.read(Self.shape)
        #expect(shape.count > 60)
        #expect(try migrated.read(Self.shape) == shape)
        #expect(try made.read { try IndexSchema.migrator().hasCompletedMigrations($0) })
        #expect(try made.read { try !IndexSchema.migrator().hasBeenSuperseded($0) })
    }

    @Test func anIndexWhoseEntriesReferToBlobsIsTakenOver() throws {
        let queue = try DatabaseQueue()
        let migrator = IndexSchema.migrator()
        try migrator.migrate(queue, upTo: "3-attributes-of-known-files")
        try queue.write { database in
            try database.execute(
                sql: """
                    INSERT INTO blobs (id, digest, size) VALUES (1, zeroblob(32), 5), (2, randomblob(32), 6);
                    INSERT INTO layers (id, record, tree, diff_id, created, source, entries, size)
                        VALUES (1, randomblob(32), x'01', x'02', 'now', 'test', 3, 16), (2, randomblob(32), x'01', x'02', 'now', 'test', 1, 5);
                    INSERT INTO entries VALUES
                        (1, CAST('/a' AS BLOB), 'file', 420, 0, 0, 7, 1, NULL), (1, CAST('/b' AS BLOB), 'file', 420, 1, 2, 7, 1, NULL),
                        (1, CAST('/c' AS BLOB), 'symlink', 511, 0, 0, 7, NULL, CAST('a' AS BLOB)),
                        (2, CAST('/a' AS BLOB), 'file', 420, 0, 0, 7, 1, NULL), (2, CAST('/d' AS BLOB), 'file', 420, 0, 0, 7, 2, NULL);
                    """)
        }
        let before = try queue.read { try Self.rows($0, "v1_entries") }
        try migrator.migrate(queue)
        #expect(before.count == 5)
        #expect(try queue.read { try Self.rows($0, "v1_entries") } == before)
        #expect(
            try queue.read {
                try Row.fetchAll($0, sql: "SELECT hex(digest), count(*) FROM v1_contents GROUP BY 1").count
            }
                == 2)
    }

    /// Two layers that have a directory in common, with names that are no text and such as sort beside a slash.
    private static func layers() throws -> [IndexedLayer] {
        func layer(_ paths: [[UInt8]], _ number: UInt8) throws -> IndexedLayer {
            var entries = [Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)]
            for (position, path) in paths.enumerated() {
                let isDirectory = paths.contains { $0.starts(with: path + [UInt8(ascii: "/")]) }
                let kind: Entry.Kind =
                    switch position % 4 {
                    case _ where isDirectory: .directory
                    case 0: .symlink(target: "to")
                    case 1: .file(digest: .empty, size: 0)
                    default: .file(digest: Digest(hashing: path), size: UInt64(path.count))
                    }
                entries.append(
                    Entry(
                        path: try TreePath(ByteString(path)),
                        metadata: Metadata(mode: 0o640, uid: 1, gid: 2, modified: Timestamp(seconds: -7)), kind: kind))
            }
            let tree = try Tree(entries)
            let record = LayerRecord(
                created: "now", source: "test", platform: nil, entries: tree.entries.count, size: tree.size,
                tree: .empty, diffID: DiffID(.empty), provenance: nil)
            return IndexedLayer(digest: Digest(hashing: [number]), record: record, tree: tree, provenance: nil)
        }
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        let common = [
            bytes("/a"), bytes("/a/x"), bytes("/a/\u{e9}"), bytes("/a/") + [0xC3], bytes("/a/") + [0xC3] + bytes("/b"),
            bytes("/a/") + [0xC3] + bytes("/") + [0xA9], bytes("/a-b"), bytes("/a/x y"), bytes("/a!"),
        ]
        return try [layer(common, 1), layer(common + [bytes("/z"), bytes("/z/1")], 2)]
    }

    private static let stored = """
        SELECT directories.digest, path, name, kind, mode, uid, gid, modified, target, hex(blobs.digest)
        FROM directories JOIN directory_entries ON directory = directories.id LEFT JOIN blobs ON blobs.id = blob
        ORDER BY path, directories.digest, name
        """

    @Test func anIndexWithThePathsOfEveryLayerBecomesWhatIsMadeAnew() throws {
        let queue = try DatabaseQueue()
        let migrator = IndexSchema.migrator()
        try migrator.migrate(queue, upTo: "4-layers-of-contents")
        let layers = try Self.layers()
        let rows = try queue.write { database in
            for (id, layer) in layers.enumerated() {
                try database.execute(
                    sql: "INSERT INTO layers VALUES (?, ?, ?, ?, 'now', 'test', ?, ?)",
                    arguments: [
                        id, Data(layer.digest.bytes), Data(Digest.empty.bytes), Data(Digest.empty.bytes),
                        layer.tree.entries.count, Int64(layer.tree.size),
                    ])
                for entry in layer.tree.entries {
                    var (blob, target): (Int64?, Data?) = (nil, nil)
                    if case .symlink(let text) = entry.kind { target = Data(text.bytes) }
                    if case .file(let digest, let size) = entry.kind {
                        try database.execute(
                            sql: "INSERT OR IGNORE INTO blobs (digest, size) VALUES (?, ?)",
                            arguments: [Data(digest.bytes), Int64(size)])
                        blob = try Int64.fetchOne(
                            database, sql: "SELECT id FROM blobs WHERE digest = ?", arguments: [Data(digest.bytes)])
                        try database.execute(
                            sql: "INSERT OR IGNORE INTO content_layers VALUES (?, ?)", arguments: [blob, id])
                    }
                    let metadata = entry.metadata
                    try database.execute(
                        sql: "INSERT INTO layer_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        arguments: [
                            id, Data(entry.path.bytes.bytes), entry.kind.indexName, Int64(metadata.mode),
                            Int64(metadata.uid), Int64(metadata.gid), metadata.modified.seconds, blob, target,
                        ])
                }
            }
            return try ["v1_entries", "v1_contents"].map { try Self.rows(database, $0) }
        }
        try migrator.migrate(queue)
        let fresh = try LayerIndex.inMemory()
        try fresh.write("test") { database in for layer in layers { try layer.insert(database, ContentRows(database)) }
        }
        let (migrated, made) = (try queue.read(Self.everything), try fresh.read("test", Self.everything))
        for found in [migrated, made] {
            #expect(found.views == rows)
            // The directory that differs, and the one that is new, are all that the second adds to the three of the first.
            #expect(found.directories == 5)
        }
        #expect(migrated.stored == made.stored)
        #expect(rows[0].count == 22)
    }

    private struct Everything {
        var views: [[String]]
        var directories: Int?
        var stored: [String]
    }

    private static func everything(_ database: Database) throws -> Everything {
        Everything(
            views: try ["v1_entries", "v1_contents"].map { try rows(database, $0) },
            directories: try Int.fetchOne(database, sql: "SELECT count(*) FROM directories"),
            stored: try Row.fetchAll(database, sql: stored).map { "\($0)" })
    }

    @Test func anIndexWithTheDigestsOfContentsInEveryTableIsTakenOver() throws {
        let queue = try DatabaseQueue()
        let migrator = IndexSchema.migrator()
        try migrator.migrate(queue, upTo: "5-directories-of-layers")
        let digests = (0..<3).map { Digest(hashing: [$0]) }
        let data = digests.map { Data($0.bytes) }
        let before = try queue.write { database in
            try database.execute(
                sql: """
                    INSERT INTO blobs (id, digest, size) VALUES (7, :a, 5), (8, :b, 6);
                    INSERT INTO inodes VALUES (:b, -1, 6, -2, 3, 493, 4, 5), (:c, 10, 9, 1, 2, 420, 0, 0);
                    INSERT INTO known_files (device, inode, size, modified_seconds, modified_nanoseconds, changed_seconds,
                            changed_nanoseconds, digest, attributes)
                        VALUES (1, 5, 5, 6, 7, 8, 9, :a, 0), (1, 6, 9, 6, 7, 8, 9, :c, 1), (-1, -5, 9, 6, 7, 8, 9, :c, 0);
                    INSERT INTO layers (id, record, tree, diff_id, created, source, entries, size)
                        VALUES (1, randomblob(32), x'01', x'02', 'now', 'test', 3, 16), (2, randomblob(32), x'01', x'02', 'now', 'test', 1, 5);
                    -- Two roots that have the same but for the newest times of their layers, and another directory.
                    INSERT INTO directories VALUES (1, randomblob(32), x''), (2, randomblob(32), x''), (3, randomblob(32), CAST('/d' AS BLOB));
                    INSERT INTO directory_entries VALUES
                        (1, x'', 'directory', 493, 0, 0, 100, NULL, NULL), (1, CAST('a' AS BLOB), 'file', 420, 1, 2, 50, 7, NULL),
                        (1, CAST('d' AS BLOB), 'symlink', 511, 0, 0, 100, NULL, x'C3'),
                        (2, x'', 'directory', 493, 0, 0, 200, NULL, NULL), (2, CAST('a' AS BLOB), 'file', 420, 1, 2, 50, 7, NULL),
                        (2, CAST('d' AS BLOB), 'symlink', 511, 0, 0, 200, NULL, x'C3'),
                        (3, CAST('new' AS BLOB), 'file', 420, 0, 0, 200, 8, NULL);
                    INSERT INTO layer_directories VALUES (1, 1), (2, 2), (2, 3);
                    """, arguments: ["a": data[0], "b": data[1], "c": data[2]])
            return try ["v1_entries", "v1_contents", "v1_layers"].map { try Self.rows(database, $0) }
        }
        #expect(before.map(\.count) == [7, 3, 2])
        try migrator.migrate(queue)
        let (after, states, counts) = try queue.read { database in
            (
                try ["v1_entries", "v1_contents", "v1_layers"].map { try Self.rows(database, $0) },
                try InodeFingerprint.all(database),
                try ["blobs", "directories", "directory_entries", "layer_directories"].map {
                    try Int.fetchOne(database, sql: "SELECT count(*) FROM \($0)")
                }
            )
        }
        #expect(after == before)
        #expect(counts == [3, 2, 4, 3])
        let second = InodeFingerprint(
            inode: .max, size: 6, modified: FileTime(seconds: -2, nanoseconds: 3), mode: 0o755, uid: 4, gid: 5)
        let third = InodeFingerprint(
            inode: 10, size: 9, modified: FileTime(seconds: 1, nanoseconds: 2), mode: 0o644, uid: 0, gid: 0)
        #expect(states == [digests[1]: second, digests[2]: third])
        func file(_ device: UInt64, _ inode: UInt64, _ size: UInt64) -> SourceFingerprint {
            SourceFingerprint(
                identity: FileIdentity(device: device, inode: inode), size: size,
                modified: FileTime(seconds: 6, nanoseconds: 7), changed: FileTime(seconds: 8, nanoseconds: 9))
        }
        let found = try queue.read {
            try KnownFileSearch([file(1, 6, 9), file(1, 5, 5), file(.max, .max - 4, 9), file(1, 7, 9)], $0)
        }
        #expect(
            found.known == [
                KnownContent(digest: digests[2], hasAttributes: true),
                KnownContent(digest: digests[0], hasAttributes: false),
                KnownContent(digest: digests[2], hasAttributes: false), nil,
            ])
        #expect(Set(found.contents.map(\.state)) == [nil, third])
        #expect(try queue.read { try Row.fetchAll($0, sql: "PRAGMA foreign_key_check").isEmpty })
    }

    /// An index of the fourth migration that takes `count` rows to become one of the fifth.
    private static func makeOldIndex(_ path: String, _ count: Int) throws {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        try IndexSchema.migrator().migrate(queue, upTo: "4-layers-of-contents")
        try queue.write { database in
            for layer in 1...2 {
                try database.execute(
                    sql: "INSERT INTO layers VALUES (?, randomblob(32), x'01', x'02', 'now', 'test', ?, 0)",
                    arguments: [layer, count])
                for number in 0..<count {
                    try database.execute(
                        sql: "INSERT INTO layer_entries VALUES (?, CAST(? AS BLOB), 'fifo', 420, 0, 0, 7, NULL, NULL)",
                        arguments: [layer, "/directory/of/many/files/\(number)"])
                }
            }
        }
    }

    @Test func theFileOfAnIndexShrinksWhenItIsMigratedAndWhenLayersAreCollected() throws {
        let fixture = try StoreFixture()
        _ = try fixture.open()
        let path = "\(fixture.path)/index.sqlite"
        func size() throws -> UInt64 { try Files.status(ByteString(path)).size }
        try FileManager.default.removeItem(atPath: path)
        try Self.makeOldIndex(path, 10_000)
        let old = try size()
        let index = try LayerIndex(
            path: ByteString(path), access: .changing, stamp: IndexStamp(store: fixture.open(.reading).directory))
        try index.migrate()
        #expect(try index.read("test") { try Int.fetchOne($0, sql: "SELECT count(*) FROM v1_entries") } == 20_000)
        // Both layers have the one directory, and its path is there once.
        #expect(try size() < old / 2)
        #expect(try index.agreesWithStamp())
        try index.close()
        // No name reaches these layers.
        let migrated = try size()
        let store = try fixture.open(.collecting)
        _ = try store.collectGarbage()
        #expect(try size() < migrated / 2)
        #expect(try #require(store.writableIndex).agreesWithStamp())
    }

    @Test func directoriesThatNoLayerHasAnyMoreGo() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/own/a": "a", "/common/f": "f"], to: store)
        try StoreFixture.add("b", ["/own/b": "b", "/common/f": "f"], to: store)
        func directories() throws -> [String] {
            try store.currentIndex().read("test") { database in
                #expect(try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").isEmpty)
                return try String.fetchAll(database, sql: "SELECT CAST(path AS TEXT) FROM directories ORDER BY path")
            }
        }
        // The roots have the same in them.
        #expect(try directories() == ["", "/common", "/own", "/own"])
        _ = try store.remove(Name("a"))
        #expect(try directories() == ["", "/common", "/own"])
        _ = try store.remove(Name("b"))
        let left = try store.currentIndex().read("test") { database in
            try ["directories", "directory_entries", "layer_directories"].map {
                try Int.fetchOne(database, sql: "SELECT count(*) FROM \($0)")
            }
        }
        #expect(left == [0, 0, 0])
    }

    @Test func contentsAreToldWithTheLayersThatHaveThem() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open(.adding)
        try StoreFixture.add("a", ["/shared": "12345678", "/own": "a", "/again": "12345678"], to: store)
        try StoreFixture.add("b", ["/shared": "12345678", "/empty": ""], to: store)
        func contents() throws -> [String: Int] {
            try store.currentIndex().read("test") { database in
                let rows = try Row.fetchAll(
                    database, sql: "SELECT digest, count(DISTINCT layer), count(*) FROM v1_contents GROUP BY digest")
                #expect(rows.allSatisfy { $0[1] as Int == $0[2] as Int })
                return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] as String, $0[1] as Int) })
            }
        }
        func digest(_ text: String) -> String { Digest(hashing: Array(text.utf8)).hexadecimal }
        #expect(try contents() == [digest("12345678"): 2, digest("a"): 1, digest(""): 1])
        try StoreFixture.add("c", ["/own": "c"], to: store)
        _ = try store.remove(Name("a"))
        #expect(try contents() == [digest("12345678"): 1, digest("c"): 1, digest(""): 1])
    }
}
