public import Bytes
public import Digests
import Foundation
import GRDB
import Posix

/// The stat cache: states of host files whose content was hashed before, as in git's index.
extension StoreSession {
    /// The digests of those of `paths` that are in a state whose content is known.
    ///
    /// Only a saving of work: a file that cannot be examined is left out, and reading it says why.
    public func known(_ paths: [ByteString]) throws(LayerStoreError) -> [SourceFingerprint: Digest] {
        guard let index = store.writableIndex else { return [:] }
        return try Self.known(paths, in: index)
    }

    static func known(
        _ paths: [ByteString], in index: LayerIndex
    ) throws(LayerStoreError) -> [SourceFingerprint: Digest] {
        try index.read("read") { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT digest FROM known_files WHERE device = ? AND inode = ? AND size = ? AND modified_seconds = ?
                    AND modified_nanoseconds = ? AND changed_seconds = ? AND changed_nanoseconds = ?
                    """)
            var result: [SourceFingerprint: Digest] = [:]
            for path in paths {
                guard let status = try? Files.status(path) else { continue }
                let fingerprint = SourceFingerprint(status)
                let found = try Data.fetchOne(statement, arguments: StatementArguments(fingerprint.columns))
                result[fingerprint] = found.flatMap { Digest(bytes: $0) }
            }
            return result
        }
    }

    /// Remembers the states of `files` that are old enough to be told apart from a later change.
    static func remember(_ files: [SourceFile], _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO known_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        for file in files where file.fingerprint.isSettled(at: file.begun) {
            try statement.execute(
                arguments: StatementArguments(
                    file.fingerprint.columns + [file.digest.databaseValue as (any DatabaseValueConvertible)?]))
        }
    }
}

extension SourceFingerprint {
    /// In the order of the table's columns. Device and inode are 64-bit patterns; SQLite's integers have a sign.
    fileprivate var columns: [(any DatabaseValueConvertible)?] {
        [
            Int64(bitPattern: identity.device), Int64(bitPattern: identity.inode), Int64(clamping: size),
            modified.seconds, modified.nanoseconds, changed.seconds, changed.nanoseconds,
        ]
    }
}
