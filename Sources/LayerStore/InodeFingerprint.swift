import Digests
import Foundation
import GRDB
import Posix

/// What stat(2) says of a blob's inode as layerfs left it. A write through a hard link changes the time of modification, and
/// chmod(2) and chown(2) change what they are for; making and removing links changes none of these.
///
/// A writer who sets the time back is not noticed by this, only by reading everything (`fsck`).
struct InodeFingerprint: Hashable, Sendable {
    var inode: UInt64
    var size: UInt64
    var modified: FileTime
    var mode: UInt16
    var uid: UInt32
    var gid: UInt32

    init(_ status: FileStatus) {
        (inode, size, modified) = (status.identity.inode, status.size, status.modified)
        (mode, uid, gid) = (status.permissions, status.uid, status.gid)
    }

    /// Whether this is the same inode as `other`, with another mode or owner. (Another inode is a copy of the store.)
    func isRegranted(_ other: InodeFingerprint) -> Bool {
        inode == other.inode && (mode, uid, gid) != (other.mode, other.uid, other.gid)
    }
}

extension InodeFingerprint {
    /// Remembers the states of blobs.
    static func record(_ states: [Digest: InodeFingerprint], _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO inodes VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        for (digest, state) in states.sorted(by: { $0.key < $1.key }) {
            // 64-bit patterns; SQLite's integers have a sign.
            try statement.execute(arguments: [
                digest.databaseValue, Int64(bitPattern: state.inode), Int64(clamping: state.size),
                state.modified.seconds,
                state.modified.nanoseconds, state.mode, state.uid, state.gid,
            ])
        }
    }

    /// The state of `digest` that was remembered; nil when there is none that makes sense.
    static func find(_ digest: Digest, _ database: Database) throws -> InodeFingerprint? {
        let statement = try database.cachedStatement(sql: "SELECT * FROM inodes WHERE digest = ?")
        return try Row.fetchOne(statement, arguments: [digest.databaseValue]).flatMap { InodeFingerprint($0) }
    }

    /// All states, by content; rows that make no sense are left out.
    static func all(_ database: Database) throws -> [Digest: InodeFingerprint] {
        var result: [Digest: InodeFingerprint] = [:]
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM inodes")
        while let row = try rows.next() {
            if let bytes = Data.fromDatabaseValue(row[0]), let digest = Digest(bytes: bytes) {
                result[digest] = InodeFingerprint(row)
            }
        }
        return result
    }

    private init?(_ row: Row) {
        let numbers = Array(row.databaseValues.dropFirst()).map { Int64.fromDatabaseValue($0) }
        guard numbers.count == 7, let inode = numbers[0], let size = numbers[1].flatMap({ UInt64(exactly: $0) }),
            let seconds = numbers[2], let nanoseconds = numbers[3].flatMap({ UInt32(exactly: $0) }),
            let mode = numbers[4].flatMap({ UInt16(exactly: $0) }),
            let uid = numbers[5].flatMap({ UInt32(exactly: $0) }),
            let gid = numbers[6].flatMap({ UInt32(exactly: $0) })
        else { return nil }
        (self.inode, self.size, self.mode, self.uid, self.gid) = (UInt64(bitPattern: inode), size, mode, uid, gid)
        modified = FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }
}
