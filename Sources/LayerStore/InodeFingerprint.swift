import Digests
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

    init(inode: UInt64, size: UInt64, modified: FileTime, mode: UInt16, uid: UInt32, gid: UInt32) {
        (self.inode, self.size, self.modified) = (inode, size, modified)
        (self.mode, self.uid, self.gid) = (mode, uid, gid)
    }

    /// Whether this is the same inode as `other`, with another mode or owner. (Another inode is a copy of the store.)
    func isRegranted(_ other: InodeFingerprint) -> Bool {
        inode == other.inode && (mode, uid, gid) != (other.mode, other.uid, other.gid)
    }
}

extension InodeFingerprint {
    private static let columns =
        "inode, size, modified_seconds, modified_nanoseconds, mode, uid, gid"

    /// Remembers the states of blobs.
    static func record(_ states: [Digest: InodeFingerprint], _ database: Database) throws {
        if states.isEmpty { return }
        let statement = try BulkStatement(
            "INSERT OR REPLACE INTO inodes (digest, \(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", database)
        for (digest, state) in states.sorted(by: { $0.key < $1.key }) {
            statement.bind(1, digest)
            // 64-bit patterns; SQLite's integers have a sign.
            statement.bind(2, Int64(bitPattern: state.inode))
            statement.bind(3, Int64(clamping: state.size))
            statement.bind(4, state.modified.seconds)
            statement.bind(5, Int64(state.modified.nanoseconds))
            statement.bind(6, Int64(state.mode))
            statement.bind(7, Int64(state.uid))
            statement.bind(8, Int64(state.gid))
            try statement.run()
        }
    }

    /// For each of `digests`, which are sorted, the state that is remembered; nil where there is none, or one that makes no sense.
    static func find(sorted digests: [Digest], _ database: Database) throws -> [InodeFingerprint?] {
        let statement = try BulkStatement(
            "SELECT digest, \(columns) FROM inodes WHERE digest >= ? ORDER BY digest", database)
        var result = [InodeFingerprint?](repeating: nil, count: digests.count)
        var position = 0
        // Along the table, as long as most of its rows are wanted.
        while position < digests.count {
            statement.bind(1, digests[position])
            var passed = 0
            while position < digests.count, passed <= BulkStatement.patience {
                guard try statement.step() else { return result }
                guard let digest = statement.digest(0) else { break }
                while position < digests.count, digests[position] < digest { position += 1 }
                if position < digests.count, digests[position] == digest {
                    result[position] = InodeFingerprint(statement)
                    position += 1
                    passed = 0
                } else {
                    passed += 1
                }
            }
            statement.reset()
        }
        return result
    }

    /// All states, by content; rows that make no sense are left out.
    static func all(_ database: Database) throws -> [Digest: InodeFingerprint] {
        let statement = try BulkStatement("SELECT digest, \(columns) FROM inodes", database)
        var result: [Digest: InodeFingerprint] = [:]
        while try statement.step() {
            if let digest = statement.digest(0) { result[digest] = InodeFingerprint(statement) }
        }
        return result
    }

    /// All states of contents whose digest begins with `first`.
    static func all(_ database: Database, beginningWith first: UInt8) throws -> [Digest: InodeFingerprint] {
        let statement = try BulkStatement(
            "SELECT digest, \(columns) FROM inodes WHERE digest BETWEEN ? AND ?", database)
        for (position, rest) in [UInt8.min, .max].enumerated() {
            statement.bind(Int32(position + 1), blob: [first] + [UInt8](repeating: rest, count: 31))
        }
        var result: [Digest: InodeFingerprint] = [:]
        while try statement.step() {
            if let digest = statement.digest(0) { result[digest] = InodeFingerprint(statement) }
        }
        return result
    }

    /// The row that `statement` is at.
    private init?(_ statement: BulkStatement) {
        guard let inode = statement.integer(1), let size = statement.integer(2).flatMap({ UInt64(exactly: $0) }),
            let seconds = statement.integer(3), let nanoseconds = statement.integer(4).flatMap({ UInt32(exactly: $0) }),
            let mode = statement.integer(5).flatMap({ UInt16(exactly: $0) }),
            let uid = statement.integer(6).flatMap({ UInt32(exactly: $0) }),
            let gid = statement.integer(7).flatMap({ UInt32(exactly: $0) })
        else { return nil }
        (self.inode, self.size, self.mode, self.uid, self.gid) = (UInt64(bitPattern: inode), size, mode, uid, gid)
        modified = FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }
}
