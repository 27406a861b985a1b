import Digests
import GRDB

/// The rows of contents, by which everything else in the index refers to them.
///
/// It must not outlive the access to the database that it was made in.
final class ContentRows {
    private let search: BulkStatement
    private let insertion: BulkStatement
    private let database: Database
    /// Of states. Made when they are needed: an index that is being migrated has no place for states yet.
    private var states: (insertion: BulkStatement, change: BulkStatement)?
    /// Those that were met: the same contents are named by what is told of inodes, by entries and by known files.
    private var met: [Digest: Int64] = [:]
    /// How many are held at most.
    private static let limit = 1 << 15

    init(_ database: Database) throws {
        self.database = database
        search = try BulkStatement("SELECT id FROM blobs WHERE digest = ?", database)
        insertion = try BulkStatement("INSERT INTO blobs (digest, size) VALUES (?, ?)", database)
    }

    /// The row of the content, which is made if there is none.
    func row(of digest: Digest, size: Int64) throws -> Int64 {
        if let row = met[digest] { return row }
        search.bind(1, digest)
        if let row = try search.firstInteger() {
            meet(digest, row)
            return row
        }
        insertion.bind(1, digest)
        insertion.bind(2, size)
        try insertion.run()
        let row = insertion.lastInsertedRowID
        meet(digest, row)
        return row
    }

    /// Remembers the state of a content's inode. Those of many contents are to come in the order of their digests.
    ///
    /// - Returns: the content's row.
    @discardableResult
    func remember(_ state: InodeFingerprint, of digest: Digest) throws -> Int64 {
        let (insertion, change) = try stateStatements()
        insertion.bind(1, digest)
        insertion.bind(2, Int64(clamping: state.size))
        insertion.bind(3, blob: state.packed)
        try insertion.run()
        if insertion.changesCount > 0 {
            let row = insertion.lastInsertedRowID
            meet(digest, row)
            return row
        }
        change.bind(1, blob: state.packed)
        change.bind(2, digest)
        try change.run()
        return try row(of: digest, size: Int64(clamping: state.size))
    }

    private func stateStatements() throws -> (insertion: BulkStatement, change: BulkStatement) {
        if let states { return states }
        let made = (
            insertion: try BulkStatement(
                "INSERT OR IGNORE INTO blobs (digest, size, inode) VALUES (?, ?, ?)", database),
            change: try BulkStatement("UPDATE blobs SET inode = ? WHERE digest = ?", database)
        )
        states = made
        return made
    }

    private func meet(_ digest: Digest, _ row: Int64) {
        if met.count >= Self.limit { met.removeAll(keepingCapacity: true) }
        met[digest] = row
    }
}
