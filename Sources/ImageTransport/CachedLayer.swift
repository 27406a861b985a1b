import Bytes
import Digests
import Posix

/// A segment of a compressed layer in a cache.
struct StoredSegment: Hashable, Sendable {
    /// What it was made of; see ``LayerPacking/Piece/keys``.
    var key: Digest
    /// Where it begins, in bytes.
    var offset: UInt64
    /// How many bytes it has.
    var count: UInt32
    /// Of the uncompressed content.
    var crc: UInt32
    var uncompressedCount: UInt32
}

/// What a ``LayerCache`` knows of a compressed layer.
struct CachedLayer: Hashable, Sendable {
    /// Of the compressed bytes.
    var digest: Digest
    /// How many they are.
    var size: UInt64
    /// Of the tar.
    var tar: LayerPacking.Result
    /// How it was compressed; see ``LayerCache/codec(_:level:)``.
    var codec: Digest
    /// The state of the file when it was known to hold these bytes.
    var inode: UInt64 = 0
    var modified = FileTime(seconds: 0, nanoseconds: 0)
    /// In order; none for what was not compressed in segments.
    var segments: [StoredSegment] = []

    /// Whether `status` is that of the file as it was left: a write changes the time of modification.
    func isLeft(_ status: FileStatus) -> Bool {
        status.kind == .regular && status.size == size && status.identity.inode == inode && status.modified == modified
    }
}

// MARK: The file

extension CachedLayer {
    private static let magic = Array("layerfs layer 1\n".utf8)
    private static let segmentSize = 32 + 8 + 4 + 4 + 4

    /// As the cache keeps it: numbers are little-endian, and the digest of all bytes before it comes last.
    var bytes: [UInt8] {
        var result = Self.magic + digest.bytes + size.littleEndianBytes
        result += tar.diffID.digest.bytes + tar.size.littleEndianBytes + codec.bytes
        result += inode.littleEndianBytes + UInt64(bitPattern: modified.seconds).littleEndianBytes
        result += modified.nanoseconds.littleEndianBytes
        for segment in segments {
            result += segment.key.bytes + segment.offset.littleEndianBytes
            result += segment.count.littleEndianBytes + segment.crc.littleEndianBytes
            result += segment.uncompressedCount.littleEndianBytes
        }
        return result + Digest(hashing: result).bytes
    }

    /// nil for anything but what ``bytes`` gives.
    init?(bytes: [UInt8]) {
        guard bytes.count >= 32, Digest(hashing: Array(bytes.dropLast(32))) == Digest(bytes: bytes.suffix(32)) else {
            return nil
        }
        var rest = bytes.dropLast(32)
        func take(_ count: Int) -> [UInt8]? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
            take(Number.bitWidth / 8).map { $0.reversed().reduce(0) { $0 << 8 | Number($1) } }
        }
        func digest() -> Digest? { take(32).flatMap { Digest(bytes: $0) } }
        guard take(Self.magic.count) == Self.magic, let blob = digest(), let size = number(UInt64.self),
            let diffID = digest(), let tarSize = number(UInt64.self), let codec = digest(),
            let inode = number(UInt64.self), let seconds = number(UInt64.self), let nanoseconds = number(UInt32.self),
            rest.count % Self.segmentSize == 0
        else { return nil }
        (self.digest, self.size, self.codec, self.inode) = (blob, size, codec, inode)
        tar = LayerPacking.Result(diffID: DiffID(diffID), size: tarSize)
        modified = FileTime(seconds: Int64(bitPattern: seconds), nanoseconds: nanoseconds)
        segments.reserveCapacity(rest.count / Self.segmentSize)
        while !rest.isEmpty {
            guard let key = digest(), let offset = number(UInt64.self), let count = number(UInt32.self),
                let crc = number(UInt32.self), let uncompressedCount = number(UInt32.self),
                offset <= size, UInt64(count) <= size - offset, uncompressedCount <= 1 << 30
            else { return nil }
            segments.append(
                StoredSegment(
                    key: key, offset: offset, count: count, crc: crc, uncompressedCount: uncompressedCount))
        }
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] { (0..<(Self.bitWidth / 8)).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
