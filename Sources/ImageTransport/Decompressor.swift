/// Decompresses one format in pieces.
protocol StreamDecoder: AnyObject {
    /// Decompresses `input` and passes the content to `body`.
    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
    /// Checks that the stream is whole.
    func finish() throws(TransportError)
}

extension GzipDecompressor: StreamDecoder {}

/// Decompresses a stream that comes in pieces, in whatever format its first bytes say, in bounded memory and by no other
/// program.
final class Decompressor {
    private let limit: ExpansionLimit
    private var magic: [UInt8] = []
    private var decoder: (any StreamDecoder)?
    private(set) var format: StreamFormat?
    /// How many bytes went in and came out.
    private(set) var consumed: UInt64 = 0
    private(set) var produced: UInt64 = 0

    init(limit: ExpansionLimit = ExpansionLimit()) { self.limit = limit }

    /// Decompresses `input` and passes the content to `body`.
    ///
    /// - Throws: ``TransportError`` for damage and beyond the limits, and what `body` throws.
    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard format == nil else { return try pass(input, body) }
        magic.append(contentsOf: input)
        if magic.count < StreamFormat.magicSize { return }
        try begin(body)
    }

    /// Checks that the stream is whole.
    ///
    /// - Throws: as ``decompress(_:_:)``.
    func finish(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        if format == nil { try begin(body) }
        try decoder?.finish()
    }

    /// Counts `count` bytes that the content stands for without holding them, as holes of sparse files, towards the limit.
    func expand(by count: UInt64) throws(TransportError) {
        let (sum, overflow) = produced.addingReportingOverflow(count)
        produced = overflow ? .max : sum
        try limit.check(consumed: consumed, produced: produced)
    }

    private func begin(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let found = StreamFormat(magic: magic)
        format = found
        decoder =
            switch found {
            case .plain: nil
            case .gzip: try GzipDecompressor()
            case .zstd: try ZstdDecompressor()
            case .xz: try XZDecompressor()
            }
        let held = magic
        magic = []
        try held.withUnsafeBytes { try pass($0, body) }
    }

    private func pass(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        consumed += UInt64(input.count)
        guard let decoder else {
            produced += UInt64(input.count)
            return try body(input)
        }
        try decoder.decompress(input) { piece in
            try expand(by: UInt64(piece.count))
            try body(piece)
        }
    }
}
