import Bytes
import Digests

/// What ``Tree/Entries`` keep of one entry, but for its name and target.
struct PackedRecord {
    /// Of a file; of anything else nothing.
    var digest: Digest
    /// Of a file; of a link, how many bytes its target has; of a device, its numbers.
    var size: UInt64
    var seconds: Int64
    /// Where the text of the entry ends: its name, then the target. It begins where that of the entry before it ends.
    var textEnd: Int
    var nanoseconds: UInt32
    /// Which of ``PackedEntries/aspects`` it has.
    var aspect: UInt32
    /// In which of the directories it lies.
    var directory: UInt32
}

/// What many entries of a tree have in common.
struct PackedAspect: Hashable {
    enum Kind: UInt8 { case directory, file, symlink, characterDevice, blockDevice, fifo, whiteout }

    var kind: Kind
    var mode: UInt16
    var uid: UInt32
    var gid: UInt32
    var extendedAttributes: [ExtendedAttribute]
}

extension PackedAspect.Kind {
    init(_ kind: Entry.Kind) {
        self =
            switch kind {
            case .directory: .directory
            case .file: .file
            case .symlink: .symlink
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .fifo: .fifo
            case .whiteout: .whiteout
            }
    }
}

/// Records in pieces: none is ever moved to make room for more, and a copy of which one record changes is a copy of one piece.
struct PackedRecords {
    private static let shift = 10
    private static let pieceSize = 1 << shift

    private var pieces: [[PackedRecord]] = []
    private(set) var count = 0

    subscript(index: Int) -> PackedRecord {
        _read { yield pieces[index >> Self.shift][index & (Self.pieceSize - 1)] }
        _modify { yield &pieces[index >> Self.shift][index & (Self.pieceSize - 1)] }
    }

    mutating func append(_ record: PackedRecord) {
        if count & (Self.pieceSize - 1) == 0 {
            var piece: [PackedRecord] = []
            // Most trees are small, and many are the entries of one directory.
            if count > 0 { piece.reserveCapacity(Self.pieceSize) }
            pieces.append(piece)
        }
        pieces[count >> Self.shift].append(record)
        count += 1
    }

    /// Whether these are the records of `other` and no copy of them; where they are, so is what they refer to.
    func shareStorage(with other: PackedRecords) -> Bool {
        count == other.count
            && zip(pieces, other.pieces).allSatisfy { mine, theirs in
                mine.withUnsafeBufferPointer { mine in
                    theirs.withUnsafeBufferPointer { mine.baseAddress == $0.baseAddress }
                }
            }
    }
}
