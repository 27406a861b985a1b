import Digests
import GRDB
import GRDBSQLite

/// One statement of the index that is run for many rows: SQLite's own calls, without an array of arguments and an object for
/// each row.
///
/// It must not outlive the access to the database that it was made in.
final class BulkStatement {
    /// How many rows that nobody asked for are passed, where some are wanted along a table, before the next is looked for from the top.
    static let patience = 8

    private let connection: OpaquePointer?
    private let statement: OpaquePointer?

    init(_ sql: String, _ database: Database) throws {
        connection = database.sqliteConnection
        var made: OpaquePointer?
        let status = sqlite3_prepare_v2(connection, sql, -1, &made, nil)
        statement = made
        guard status == SQLITE_OK else { throw failure(status) }
    }

    deinit { sqlite3_finalize(statement) }

    private func failure(_ status: Int32) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: status), message: String(cString: sqlite3_errmsg(connection)))
    }

    /// Makes SQLite copy what it is given: the bytes live for the time of the call.
    private static let copying = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// Sets the parameter `position`, counted from 1.
    func bind(_ position: Int32, _ value: Int64) { sqlite3_bind_int64(statement, position, value) }

    /// The number, or NULL for nil.
    func bind(_ position: Int32, integer value: Int64?) {
        if let value { bind(position, value) } else { bindNull(position) }
    }

    func bind(_ position: Int32, _ digest: Digest) {
        digest.withUnsafeBytes { _ = sqlite3_bind_blob(statement, position, $0.baseAddress, 32, Self.copying) }
    }

    /// The bytes, or NULL for nil.
    func bind(_ position: Int32, blob bytes: [UInt8]?) {
        guard let bytes else { return bindNull(position) }
        bytes.withUnsafeBytes { buffer in
            if buffer.isEmpty {
                _ = sqlite3_bind_zeroblob(statement, position, 0)
            } else {
                _ = sqlite3_bind_blob(statement, position, buffer.baseAddress, Int32(buffer.count), Self.copying)
            }
        }
    }

    func bind(_ position: Int32, text: String?) {
        guard var text else { return bindNull(position) }
        text.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                _ = sqlite3_bind_text(
                    statement, position, characters.baseAddress, Int32(characters.count), Self.copying)
            }
        }
    }

    func bindNull(_ position: Int32) { sqlite3_bind_null(statement, position) }

    /// The next row; false at the end, when the statement is ready to be run again.
    func step() throws -> Bool {
        let status = sqlite3_step(statement)
        if status == SQLITE_ROW { return true }
        guard status == SQLITE_DONE else {
            let error = failure(status)
            sqlite3_reset(statement)
            throw error
        }
        sqlite3_reset(statement)
        return false
    }

    /// Runs the statement, which gives no rows, to its end.
    func run() throws { while try step() {} }

    /// Leaves the rows that were not asked for, so that the statement can be run again.
    func reset() { sqlite3_reset(statement) }

    /// The first column of the first row, when that is an integer; the statement is ready to be run again.
    func firstInteger() throws -> Int64? {
        guard try step() else { return nil }
        defer { reset() }
        return integer(0)
    }

    /// How many rows the last statement of the connection to insert, change or remove any did so with.
    var changesCount: Int32 { sqlite3_changes(connection) }

    /// The row that the connection inserted last.
    var lastInsertedRowID: Int64 { sqlite3_last_insert_rowid(connection) }

    /// A column of the row, counted from 0; nil when it is no integer.
    func integer(_ column: Int32) -> Int64? {
        sqlite3_column_type(statement, column) == SQLITE_INTEGER ? sqlite3_column_int64(statement, column) : nil
    }

    /// nil when the column is no digest.
    func digest(_ column: Int32) -> Digest? {
        guard sqlite3_column_type(statement, column) == SQLITE_BLOB, let bytes = sqlite3_column_blob(statement, column)
        else { return nil }
        return Digest(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column))))
    }

    /// Calls `body` with the bytes of a column, which are valid only meanwhile; nil when it is no BLOB.
    func withBlob<Result>(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard sqlite3_column_type(statement, column) == SQLITE_BLOB else { return nil }
        return body(
            UnsafeRawBufferPointer(
                start: sqlite3_column_blob(statement, column), count: Int(sqlite3_column_bytes(statement, column))))
    }

    /// nil when the column is no text.
    func text(_ column: Int32) -> String? {
        guard sqlite3_column_type(statement, column) == SQLITE_TEXT, let text = sqlite3_column_text(statement, column)
        else { return nil }
        return String(cString: text)
    }
}
