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
final class LayerIndex: Sendable {
    private let queue: DatabaseQueue

    /// Opens the index at `path`, making or migrating it when `access` is for writing; `:memory:` is one of no file.
    init(path: ByteString, access: Store.Access) throws(LayerStoreError) {
        guard let text = path.utf8Text else {
            throw .index(step: "open", message: "the store's path is not UTF-8, which SQLite asks for: \(path)")
        }
        let readOnly = access == .reading
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000")
            if !readOnly {
                try database.execute(sql: "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = EXTRA")
            }
        }
        queue = try Self.attempt("open") {
            let queue = try DatabaseQueue(path: text, configuration: configuration)
            let migrator = IndexSchema.migrator()
            if try queue.read({ try migrator.hasBeenSuperseded($0) }) {
                throw DatabaseError(message: "it was written by a newer layerfs")
            }
            if !readOnly { try migrator.migrate(queue) }
            return queue
        }
    }

    func read<Value>(_ step: String, _ body: (Database) throws -> Value) throws(LayerStoreError) -> Value {
        try Self.attempt(step) { try queue.read(body) }
    }

    func write<Value>(_ step: String, _ body: (Database) throws -> Value) throws(LayerStoreError) -> Value {
        try Self.attempt(step) {
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
