import Bytes

/// A source read in pieces that are kept, so that neighbouring headers and strings cost one read.
///
/// Memory is bounded: a few pieces, each as large as one request but at least ``granularity``.
struct ELFWindow<Source: ELFSource> {
    private let source: Source
    private var pieces: [(offset: UInt64, bytes: [UInt8], isLast: Bool)] = []

    /// Most programs' file and program headers, notes, string table and versions lie in the first pages.
    private static var granularity: Int { 16384 }
    private static var keptPieces: Int { 6 }

    init(_ source: Source) { self.source = source }

    /// The bytes at `offset`, fewer than `count` only where the file ends.
    mutating func bytes(at offset: UInt64, count: Int) throws(ELFReadError<Source.Failure>) -> ArraySlice<UInt8> {
        guard count > 0 else { return [] }
        for piece in pieces where piece.offset <= offset {
            let skipped = offset - piece.offset
            guard skipped < UInt64(piece.bytes.count) else { continue }
            let start = Int(skipped)
            if piece.bytes.count - start >= count || piece.isLast {
                return piece.bytes[start..<min(start + count, piece.bytes.count)]
            }
        }
        let wanted = max(count, Self.granularity)
        let read: [UInt8]
        do { read = try source.read(at: offset, count: wanted) } catch { throw .source(error) }
        if pieces.count == Self.keptPieces { pieces.removeFirst() }
        pieces.append((offset, read, isLast: read.count < wanted))
        return read.prefix(count)
    }

    /// A reader of exactly `count` bytes at `offset`.
    mutating func reader(
        at offset: UInt64, count: Int, order: ByteOrder, _ part: ELFError.Part
    ) throws(ELFReadError<Source.Failure>) -> ByteReader {
        let found = try bytes(at: offset, count: count)
        guard found.count == count else { throw .format(.truncated(part, offset: offset)) }
        return ByteReader(found, order: order)
    }

    /// The NUL-terminated string at `offset`, of which at most `limit` bytes are looked at.
    mutating func string(at offset: UInt64, limit: Int) throws(ELFReadError<Source.Failure>) -> ByteString? {
        var count = 256
        while true {
            let piece = try bytes(at: offset, count: min(count, limit))
            if let end = piece.firstIndex(of: 0) { return ByteString(piece[..<end]) }
            guard piece.count == count, count < limit else { return nil }
            count *= 4
        }
    }
}
