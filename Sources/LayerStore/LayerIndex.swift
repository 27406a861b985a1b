import Bytes
import Digests
import Foundation
import GRDB
import Posix
import Trees

/// The SQLite index of a store: what is in which layer, asked quickly.
///
/// Rollback journal and `synchronous=EXTRA` instead of WAL: several processes write, and SQLite before 3.51.3 can corrupt a
/// WAL in that case. All writes happen under the store's commit lock, so nobody ever waits for SQLite's own.
///
/// SQLite has no checksums of its own: a changed byte in a row is another row. So each commit leaves the digest of the whole
/// file beside it (``IndexStamp``), and an index that does not agree with its stamp is not asked anything.
final class LayerIndex: Sendable {
    private let queue: DatabaseQueue
    private let stamp: IndexStamp?

    /// Opens the index at `path`; `:memory:` is one of no file. Its tables are not looked at yet.
    ///
    /// - Parameter stamp: where the digest of the file is kept; nil for an index that is not the store's own.
    init(path: ByteString, access: Store.Access, stamp: IndexStamp? = nil) throws(LayerStoreError) {
        guard let text = path.utf8Text else {
            throw .index(step: "open", message: "the store's path is not UTF-8, which SQLite asks for: \(path)")
        }
        self.stamp = stamp
        let readOnly = access == .reading
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA temp_store = MEMORY; PRAGMA cache_size = \(-Self.cacheSize)")
            if !readOnly {
                try database.execute(sql: "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = \(Self.durable)")
            }
        }
        queue = try Self.attempt("open") { try DatabaseQueue(path: text, configuration: configuration) }
    }

    /// How much of the file is held in memory, in KiB.
    private static let cacheSize = 16_000

    /// Calls `body`, which makes the rows of `tree`, with more of the file in memory when there are very many: their contents are looked up
    /// all over a table. For who has nothing else in memory then.
    static func withLargeCache(for tree: Tree, _ database: Database, _ body: () throws -> Void) throws {
        if tree.entries.count <= manyEntries { return try body() }
        try database.execute(sql: "PRAGMA cache_size = \(-4 * cacheSize)")
        defer { try? database.execute(sql: "PRAGMA cache_size = \(-cacheSize)") }
        try body()
    }

    private static let manyEntries = 100_000

    /// An index with all tables, in memory.
    static func inMemory() throws(LayerStoreError) -> LayerIndex {
        let index = try LayerIndex(path: ":memory:", access: .changing)
        try index.migrate()
        return index
    }

    /// An index with all tables, in a file without a name that SQLite makes when there is much in it (sqlite.org/inmemorydb.html,
    /// Temporary Databases).
    static func temporary() throws(LayerStoreError) -> LayerIndex {
        let index = try LayerIndex(path: "", access: .changing)
        try index.migrate()
        return index
    }

    /// Makes the tables that this program knows. The caller holds the commit lock.
    ///
    /// - Throws: ``LayerStoreError/newerIndex(_:)`` when a newer program has made others.
    func migrate() throws(LayerStoreError) {
        try checkNotNewer()
        let migrator = IndexSchema.migrator()
        let isComplete = try read("open") { try migrator.hasCompletedMigrations($0) }
        if isComplete { return }
        try Self.attempt("migrate") {
            let isEmpty = try queue.inDatabase { database in
                try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
            }
            if isEmpty { return try queue.write(IndexSchema.create) }
            // What is sorted then is as large as the index: it must not be in memory.
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA temp_store = FILE") }
            try migrator.migrate(queue)
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA temp_store = MEMORY") }
        }
        if !compact() { updateStamp() }
    }

    /// Gives back the pages of the file that nothing is in any more, where they are many. The caller holds the commit lock.
    ///
    /// That there is no room for it, say, is no reason to fail: the pages are used again.
    ///
    /// - Returns: whether the file is another, with a stamp of its own.
    @discardableResult
    func compact() -> Bool {
        let isDone = try? queue.writeWithoutTransaction { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
            guard free > Self.fewPages, free > pages / 4 else { return false }
            // SQLite writes the new file as a temporary one first.
            try database.execute(sql: "PRAGMA temp_store = FILE")
            defer { try? database.execute(sql: "PRAGMA temp_store = MEMORY") }
            try database.execute(sql: "VACUUM")
            return true
        }
        guard isDone == true else { return false }
        updateStamp()
        return true
    }

    /// As many are left.
    private static let fewPages = 32

    /// Makes all tables in a file that was just made, without waiting for the disk after each step.
    ///
    /// Nobody relies on what is in it before something is committed, which flushes the file. One that is torn until then does not agree
    /// with its stamp, and is made anew.
    func create() throws(LayerStoreError) {
        try setSynchronous("OFF")
        try migrate()
        try setSynchronous(Self.durable)
    }

    private static let durable = "EXTRA"

    private func setSynchronous(_ mode: String) throws(LayerStoreError) {
        try Self.attempt("open") {
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = \(mode)") }
        }
    }

    /// Whether it has the tables that this program knows, and no others.
    func hasOwnTables() throws(LayerStoreError) -> Bool {
        let migrator = IndexSchema.migrator()
        return try read("open") { try migrator.hasCompletedMigrations($0) && !migrator.hasBeenSuperseded($0) }
    }

    /// - Throws: ``LayerStoreError/newerIndex(_:)``.
    func checkNotNewer() throws(LayerStoreError) {
        let migrator = IndexSchema.migrator()
        if try read("open", { try migrator.hasBeenSuperseded($0) }) { throw .newerIndex(ByteString(queue.path)) }
    }

    /// Whether every byte of the file is as the last commit left it.
    func agreesWithStamp() throws(LayerStoreError) -> Bool {
        guard let stamp, let expected = try stamp.read() else { return false }
        return try fileDigest() == expected
    }

    /// The digest of the file.
    func fileDigest() throws(LayerStoreError) -> Digest { try read("read") { try IndexFile.digest($0) } }

    /// Lets go of the file.
    func close() throws(LayerStoreError) { try Self.attempt("close") { try queue.close() } }

    func read<Value>(_ step: String, _ body: (Database) throws -> Value) throws(LayerStoreError) -> Value {
        try Self.attempt(step) { try queue.read(body) }
    }

    /// Runs `body` in a transaction. The caller holds the commit lock.
    func write<Value>(_ step: String, _ body: (Database) throws -> Value) throws(LayerStoreError) -> Value {
        let result = try Self.attempt(step) {
            // .immediate: take SQLite's lock at once instead of failing in the middle.
            try queue.writeWithoutTransaction { database in
                var value: Value?
                try database.inTransaction(.immediate) {
                    value = try body(database)
                    return .commit
                }
                return value!  // The transaction either set it or threw.
            }
        }
        updateStamp()
        return result
    }

    /// What was committed is committed: without a stamp the next command makes the index anew, which is no reason to fail.
    private func updateStamp() {
        if let stamp, let digest = try? fileDigest() { stamp.write(digest) }
    }

    private static func attempt<Value>(_ step: String, _ body: () throws -> Value) throws(LayerStoreError) -> Value {
        do {
            return try body()
        } catch let error as LayerStoreError {
            throw error
        } catch let error as DatabaseError {
            throw .index(step: step, message: error.message ?? "SQLite error \(error.resultCode.rawValue)")
        } catch {
            throw .index(step: step, message: "\(error)")
        }
    }
}

extension Digest {
    /// As the index stores it: 32 bytes.
    var databaseValue: Data { Data(bytes) }
}
