import Bytes
import Digests
import Foundation
import GRDB
import Testing
import Trees

@testable import LayerStore

struct IndexMigrationTests {
    /// What an index of another version says by its public views.
    private static func rows(_ database: Database, _ view: String) throws -> [String] {
        try Row.fetchAll(database, sql: "SELECT * FROM \(view) ORDER BY 1, 2, 3").map { "\($0)" }
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
            try queue.read { try Row.fetchAll($0, sql: "SELECT blob, layer FROM content_layers").map { "\($0)" } }
                == ["[blob:1 layer:1]", "[blob:1 layer:2]", "[blob:2 layer:2]"])
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
