import Bytes
import Digests
import GRDB
import GRDBSQLite
import Posix
import SystemPackage

/// The digest of `index.sqlite` as the last commit left it: the file `index.sha256`, in the form of sha256sum(1).
///
/// It is written after the transaction, not with it, and not flushed: one that is behind, torn or lost only makes the index be
/// rebuilt. A torn one cannot pass for another: all 64 digits must be there.
struct IndexStamp: Sendable {
    static let fileName: ByteString = "index.sha256"
    let store: StoreDirectory

    /// nil when there is none, or none that makes sense.
    func read() throws(LayerStoreError) -> Digest? {
        let bytes: [UInt8]
        do {
            bytes = try store.root.open(Self.fileName, [.readOnly, .noFollow]).readAll(limit: 256)
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .fileTooLarge {
            return nil
        } catch {
            // Too many open files, say: no reason to rebuild anything.
            throw .system(step: "read the index's digest", error)
        }
        guard bytes.count == 64 + Self.rest.count, Array(bytes[64...]) == Self.rest
        else { return nil }
        return try? Digest(hexadecimal: bytes[..<64])
    }

    func write(_ digest: Digest) {
        if (try? replace(digest)) == nil {
            // Another member of the store's group has made it.
            try? store.root.removeFile(Self.fileName)
            try? replace(digest)
        }
    }

    private func replace(_ digest: Digest) throws(SystemError) {
        try store.root.open(Self.fileName, [.writeOnly, .create, .truncate, .noFollow], mode: 0o644)
            .writeAll(Array(digest.hexadecimal.utf8) + Self.rest)
    }

    private static let rest = Array("  index.sqlite\n".utf8)
}

/// The bytes of a database file, read the way SQLite reads them.
///
/// Not through a descriptor of our own: closing that would drop the locks that SQLite holds in this process (fcntl(2),
/// Advisory record locking; sqlite.org/howtocorrupt.html, 2.2).
enum IndexFile {
    /// The digest of the main database file, with its lock held shared.
    static func digest(_ database: Database) throws -> Digest {
        // Takes the lock, and rolls back what a process that died had begun.
        _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master")
        var pointer: UnsafeMutablePointer<sqlite3_file>?
        let status = sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_FILE_POINTER, &pointer)
        guard status == SQLITE_OK, let file = pointer, let methods = file.pointee.pMethods else {
            throw DatabaseError(resultCode: ResultCode(rawValue: status), message: "the file cannot be read")
        }
        var size: sqlite3_int64 = 0
        try check(methods.pointee.xFileSize(file, &size))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        var hasher = DigestHasher()
        var offset: sqlite3_int64 = 0
        while offset < size {
            let count = min(buffer.count, Int(clamping: size - offset))
            try check(methods.pointee.xRead(file, buffer.baseAddress, Int32(count), offset))
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += sqlite3_int64(count)
        }
        return hasher.finalize()
    }

    private static func check(_ status: Int32) throws {
        if status != SQLITE_OK { throw DatabaseError(resultCode: ResultCode(rawValue: status)) }
    }
}
