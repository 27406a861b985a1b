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
    /// As the index keeps it beside the size of the content: a column of bytes is read in half the time that six take.
    var packed: [UInt8] {
        var numbers = PackedNumbers()
        numbers.append(inode)
        numbers.append(signed: modified.seconds)
        numbers.append(UInt64(modified.nanoseconds))
        numbers.append(UInt64(mode))
        numbers.append(UInt64(uid))
        numbers.append(UInt64(gid))
        return numbers.bytes
    }

    /// nil for what ``packed`` does not give.
    init?(packed bytes: UnsafeRawBufferPointer, size: Int64?) {
        var numbers = PackedNumbers.Reader(bytes)
        guard let size = size.flatMap({ UInt64(exactly: $0) }), let inode = numbers.next(),
            let seconds = numbers.nextSigned(), let nanoseconds = numbers.next(UInt32.self),
            let mode = numbers.next(UInt16.self), let uid = numbers.next(UInt32.self),
            let gid = numbers.next(UInt32.self), numbers.isAtEnd
        else { return nil }
        self.init(
            inode: inode, size: size, modified: FileTime(seconds: seconds, nanoseconds: nanoseconds), mode: mode,
            uid: uid, gid: gid)
    }

    /// The columns of `blobs` that ``init(_:from:)`` reads.
    static let columns = "size, inode"

    /// The state in the row that `statement` is at, whose column `first` is the first of ``columns``; nil where there is none, or one
    /// that makes no sense.
    init?(_ statement: BulkStatement, from first: Int32) {
        let size = statement.integer(first)
        guard let state = statement.withBlob(first + 1, { InodeFingerprint(packed: $0, size: size) }) ?? nil else {
            return nil
        }
        self = state
    }
}

extension InodeFingerprint {
    /// Remembers the states of blobs.
    static func record(_ states: [Digest: InodeFingerprint], _ rows: ContentRows) throws {
        for (digest, state) in states.sorted(by: { $0.key < $1.key }) { try rows.remember(state, of: digest) }
    }

    /// For each of `digests`, which are sorted, the state that is remembered; nil where there is none, or one that makes no sense.
    static func find(sorted digests: [Digest], _ database: Database) throws -> [InodeFingerprint?] {
        let statement = try BulkStatement(
            "SELECT digest, \(columns) FROM blobs WHERE digest >= ? ORDER BY digest", database)
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
                    result[position] = InodeFingerprint(statement, from: 1)
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
        try states(BulkStatement("SELECT digest, \(columns) FROM blobs WHERE inode IS NOT NULL", database))
    }

    /// All states of contents whose digest begins with `first`.
    static func all(_ database: Database, beginningWith first: UInt8) throws -> [Digest: InodeFingerprint] {
        let statement = try BulkStatement(
            "SELECT digest, \(columns) FROM blobs WHERE digest BETWEEN ? AND ?", database)
        for (position, rest) in [UInt8.min, .max].enumerated() {
            statement.bind(Int32(position + 1), blob: [first] + [UInt8](repeating: rest, count: 31))
        }
        return try states(statement)
    }

    private static func states(_ statement: BulkStatement) throws -> [Digest: InodeFingerprint] {
        var result: [Digest: InodeFingerprint] = [:]
        while try statement.step() {
            if let digest = statement.digest(0), let state = InodeFingerprint(statement, from: 1) {
                result[digest] = state
            }
        }
        return result
    }
}
