import Digests

/// Decompresses one format in pieces.
protocol StreamDecoder: AnyObject {
    /// Decompresses `input` and passes the content to `body`.
    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
    /// Checks that the stream is whole.
    func finish() throws(TransportError)
}

extension GzipDecompressor: StreamDecoder {}

extension StreamFormat {
    /// nil for what is not compressed.
    func makeDecoder() throws(TransportError) -> sending (any StreamDecoder)? {
        switch self {
        case .plain: nil
        case .gzip: try GzipDecompressor()
        case .zstd: try ZstdDecompressor()
        case .xz: try XZDecompressor()
        }
    }
}

/// Decompresses a stream that comes in pieces, in whatever format its first bytes say, in bounded memory and by no other
/// program.
final class Decompressor {
    /// A stream whose first piece is smaller than this is not worth a thread.
    private static let leastForThread = 64 << 10

    private enum Decoder {
        case none
        case here(any StreamDecoder)
        case background(BackgroundDecoder)
    }

    private let limit: ExpansionLimit
    private let isParallel: Bool
    private let isHashing: Bool
    private let hasher = SharedHasher()
    private var magic: [UInt8] = []
    private var decoder = Decoder.none
    private(set) var format: StreamFormat?
    /// How many bytes went in, as far as what came of them was passed on, and how many came out.
    private(set) var consumed: UInt64 = 0
    private(set) var produced: UInt64 = 0

    /// - Parameters:
    ///   - isParallel: whether a large stream is decompressed on another thread; content is passed on by this one in any case, later
    ///     by some pieces.
    ///   - isHashing: whether the content is hashed, by whoever decompresses.
    init(limit: ExpansionLimit = ExpansionLimit(), isParallel: Bool = false, isHashing: Bool = false) {
        (self.limit, self.isParallel, self.isHashing) = (limit, isParallel, isHashing)
    }

    /// The digest and the size of all content, when it is finished and hashed.
    var content: (digest: Digest, size: UInt64) {
        if case .background(let decoder) = decoder, let hasher = decoder.hasher { return (hasher.digest, hasher.count) }
        return (hasher.digest, hasher.count)
    }

    /// Decompresses `input` and passes the content to `body`.
    ///
    /// - Throws: ``TransportError`` for damage and beyond the limits, and what `body` throws; possibly for input of an earlier call.
    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard format == nil else { return try pass(input, body) }
        magic.append(contentsOf: input)
        if magic.count < StreamFormat.magicSize { return }
        try begin(body)
    }

    /// Passes on what is left, and checks that the stream is whole.
    ///
    /// - Throws: as ``decompress(_:_:)``.
    func finish(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        if format == nil { try begin(body) }
        switch decoder {
        case .none: break
        case .here(let decoder): try decoder.finish()
        case .background(let decoder): try decoder.finish { try take($0, from: decoder, body) }
        }
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
        let held = magic
        magic = []
        if isParallel, held.count >= Self.leastForThread,
            let background = try BackgroundDecoder(found, isHashing: isHashing)
        {
            decoder = .background(background)
        } else if let here = try found.makeDecoder() {
            decoder = .here(here)
        }
        try held.withUnsafeBytes { try pass($0, body) }
    }

    private func pass(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        switch decoder {
        case .none:
            consumed += UInt64(input.count)
            produced += UInt64(input.count)
            if isHashing { hasher.update(input) }
            try body(input)
        case .here(let decoder):
            consumed += UInt64(input.count)
            try decoder.decompress(input) { piece in
                try expand(by: UInt64(piece.count))
                if isHashing { hasher.update(piece) }
                try body(piece)
            }
        case .background(let decoder): try decoder.decompress(input) { try take($0, from: decoder, body) }
        }
    }

    private func take(
        _ piece: UnsafeRawBufferPointer, from decoder: BackgroundDecoder,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        consumed = decoder.begun
        try expand(by: UInt64(piece.count))
        try body(piece)
    }
}
