import Digests
import Posix

/// Compresses to one gzip member, on all workers, with the same bytes for any number of them.
///
/// What is written is cut every ``segmentSize`` bytes, and where ``write(piece:key:)`` says; each piece becomes a
/// ``DeflateSegment``, and those are written in order. One member, because decoders that stop after the first are still met;
/// independent segments, because that costs little and lets a segment be reused wherever the same piece of content occurs.
///
/// The bytes also depend on the version of libdeflate: they are reproducible where that is the same. The diffID depends on
/// neither.
final class GzipCompressor: ByteSink {
    static let segmentSize = 1 << 20
    /// How much is passed on at once, at least: whoever writes and reads back on other threads is not to be woken for each small segment.
    private static let gatheredSize = 256 << 10

    private let output: any ByteSink
    private let work: OrderedWork<DeflateSegment, TransportError>
    private let level: Int
    /// How many bytes may be under way, and how many pieces.
    private let window: (bytes: Int, pieces: Int)
    private var piece: [UInt8] = []
    /// The pieces under way.
    private var pending: [(key: Digest?, size: Int)] = []
    /// Their size together.
    private var pendingSize = 0
    private var crc: UInt32 = 0
    private var count: UInt32 = 0
    /// What was not passed on yet.
    private var gathered: [UInt8] = []
    /// How many bytes were written.
    private var position: UInt64 = 0
    /// Where the segments with a key were written, in order.
    private(set) var segments: [StoredSegment] = []

    init(output: any ByteSink, level: Int = Compression.gzip.usualLevel, pool: WorkerPool) {
        self.output = output
        self.level = level
        work = OrderedWork(pool)
        // Enough that uneven pieces keep all workers busy, not so much that memory grows with many cores. Pieces of some hundred bytes
        // may wait behind one of a MiB.
        let pieces = min(4 * pool.workers, 64)
        // What is compressed while it is handed over has nothing to wait for.
        window = work.isParallel ? (bytes: pieces * Self.segmentSize, pieces: 16 * pieces) : (bytes: 0, pieces: 1)
        pass(GzipEncoder.plainHeader)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let taken = min(rest.count, Self.segmentSize - piece.count)
            piece.append(contentsOf: rest[..<taken])
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            if piece.count == Self.segmentSize { try endPiece() }
        }
    }

    /// Writes a piece that is compressed for itself, and is to be found by `key` again.
    ///
    /// - Parameter isGroup: whether it is made of headers and small files. Such pieces are a quarter of a layer, and short, which costs
    ///   size; a level more gives most of that back for little time.
    func write(piece bytes: [UInt8], key: Digest, isGroup: Bool) throws {
        try endPiece()
        let highest = Compression.gzip.levels?.upperBound ?? level
        try compress(bytes, key: key, level: isGroup ? min(level + 1, highest) : level)
    }

    /// Writes a piece that was compressed before.
    func write(_ segment: DeflateSegment, key: Digest) throws {
        try endPiece()
        try makeRoom(for: segment.bytes.count)
        work.add(finished: segment)
        try noteBegun(key, segment.bytes.count)
    }

    /// Writes what is left, and the trailer.
    func finish() throws {
        try endPiece()
        while try writeNext() {}
        pass(DeflateSegment.lastBlock + crc.littleEndianBytes + count.littleEndianBytes)
        try flush()
    }

    /// All of `bytes`, at most 1 GiB, as one member of its own.
    static func member(_ bytes: [UInt8], level: Int) throws(TransportError) -> [UInt8] {
        let segment = try DeflateSegment(compressing: bytes, level: level)
        return GzipEncoder.plainHeader + segment.bytes + DeflateSegment.lastBlock + segment.crc.littleEndianBytes
            + UInt32(truncatingIfNeeded: bytes.count).littleEndianBytes
    }

    private func endPiece() throws {
        guard !piece.isEmpty else { return }
        let bytes = piece
        piece = []
        piece.reserveCapacity(Self.segmentSize)
        try compress(bytes, key: nil, level: level)
    }

    private func compress(_ bytes: [UInt8], key: Digest?, level: Int) throws {
        try makeRoom(for: bytes.count)
        work.add { () throws(TransportError) in try DeflateSegment(compressing: bytes, level: level) }
        try noteBegun(key, bytes.count)
    }

    /// Writes the oldest pieces until one of `size` bytes in memory may be under way with the rest.
    private func makeRoom(for size: Int) throws {
        while pending.count >= window.pieces || pendingSize + size > window.bytes {
            guard try writeNext() else { break }
        }
    }

    private func noteBegun(_ key: Digest?, _ size: Int) throws {
        pending.append((key, size))
        pendingSize += size
        // Nobody works while we go on: what is there already need not wait.
        if !work.isParallel { _ = try writeNext() }
    }

    /// Writes the oldest piece that is under way; false when there is none.
    private func writeNext() throws -> Bool {
        guard let segment = try work.next() else { return false }
        let (key, size) = pending.removeFirst()
        pendingSize -= size
        pass(segment, key: key)
        if gathered.count >= Self.gatheredSize { try flush() }
        return true
    }

    private func pass(_ segment: DeflateSegment, key: Digest?) {
        crc = DeflateSegment.combine(crc, segment.crc, secondCount: segment.uncompressedCount)
        // The size in the trailer is modulo 2^32.
        count &+= UInt32(truncatingIfNeeded: segment.uncompressedCount)
        if let key {
            segments.append(
                StoredSegment(
                    key: key, offset: position, count: UInt32(segment.bytes.count), crc: segment.crc,
                    uncompressedCount: UInt32(segment.uncompressedCount)))
        }
        pass(segment.bytes)
    }

    private func pass(_ bytes: [UInt8]) {
        gathered += bytes
        position += UInt64(bytes.count)
    }

    private func flush() throws {
        try output.write(gathered)
        gathered = []
        gathered.reserveCapacity(Self.gatheredSize)
    }
}
