import Bytes
import Digests
public import Posix
public import Trees

/// How the bytes of a compressed layer are made of its tar, where that is known.
public enum LayerEncoding: Hashable, Sendable {
    /// They are the tar.
    case none
    /// As ``Compression/gzip`` makes them.
    case layerfs
    /// One gzip member as zlib makes it, behind these bytes.
    case zlib(level: Int32, header: [UInt8])

    /// As image records have it: `none`, `layerfs`, `zlib 6 1f8b08…`.
    public var text: String {
        switch self {
        case .none: "none"
        case .layerfs: "layerfs"
        case .zlib(let level, let header): "zlib \(level) \(header.map(Self.hexadecimal).joined())"
        }
    }

    /// nil for anything that ``text`` does not give.
    public init?(_ text: String) {
        let fields = text.split(separator: " ", omittingEmptySubsequences: false)
        switch fields.first {
        case "none" where fields.count == 1: self = .none
        case "layerfs" where fields.count == 1: self = .layerfs
        case "zlib" where fields.count == 3:
            let digits = Array(fields[2].utf8)
            let header = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
            }
            guard let level = Int32(fields[1]), (1...9).contains(level), 2 * header.count == digits.count else {
                return nil
            }
            self = .zlib(level: level, header: header)
        default: return nil
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    /// Calls `body` with a sink that encodes into `output`.
    func encode<Result>(into output: any ByteSink, pool: WorkerPool, _ body: (any ByteSink) throws -> Result) throws
        -> Result
    {
        switch self {
        case .none: return try body(output)
        case .layerfs:
            let compressor = try GzipCompressor(output: output, pool: pool)
            let result = try body(compressor)
            try compressor.finish()
            return result
        case .zlib(let level, let header):
            let encoder = try GzipEncoder(output: output, level: level, header: header)
            let result = try body(encoder)
            try encoder.finish()
            return result
        }
    }

    // MARK: Finding out

    /// How the bytes of `layer` are made of its tar; nil when none of the ways that layerfs knows gives them.
    ///
    /// - Parameters:
    ///   - skeleton: of the tar; nil when it is the canonical one.
    ///   - contents: has all that the tar needs.
    /// - Throws: what the contents throw.
    public static func find(
        for layer: SourceImage.Layer, skeleton: Skeleton?, contents: any ContentSource, pool: WorkerPool
    ) throws -> LayerEncoding? {
        for candidate in candidates(layer.format, prefix: layer.prefix) {
            if candidate == .none { return candidate }
            let sink = MatchingSink(prefix: layer.prefix)
            do {
                try candidate.encode(into: sink, pool: pool) { output in
                    if let skeleton {
                        _ = try TarAssembly(skeleton: skeleton, contents: contents, progress: nil).write(into: output)
                    } else {
                        _ = try LayerPacking().pack(
                            Array(layer.tree.entries.dropFirst()), from: contents, into: output, progress: nil)
                    }
                }
            } catch is MatchingSink.Mismatch {
                continue
            }
            if sink.finish() == layer.blob.digest { return candidate }
        }
        return nil
    }

    /// What could have made a stream that begins with `prefix`.
    static func candidates(_ format: StreamFormat, prefix: [UInt8]) -> [LayerEncoding] {
        switch format {
        case .plain: return [.none]
        case .zstd, .xz: return []
        case .gzip:
            guard let header = gzipHeader(prefix) else { return [] }
            // The extra flags tell of the level: 2 for the best, 4 for the fastest (RFC 1952, section 2.3.1).
            let levels: [Int32] =
                switch header[8] {
                case 2: [9]
                case 4: [1]
                default: [6, 9, 1]
                }
            return (header == GzipEncoder.plainHeader ? [.layerfs] : [])
                + levels.map { .zlib(level: $0, header: header) }
        }
    }

    /// The header of the member that begins `prefix`, optional fields included; nil when it is longer than that.
    private static func gzipHeader(_ prefix: [UInt8]) -> [UInt8]? {
        guard prefix.count > 10 else { return nil }
        let flags = prefix[3]
        var end = 10
        if flags & 4 != 0 {
            guard prefix.count > end + 2 else { return nil }
            end += 2 + Int(prefix[end]) + Int(prefix[end + 1]) << 8
        }
        for flag: UInt8 in [8, 16] where flags & flag != 0 {
            guard end < prefix.count, let zero = prefix[end...].firstIndex(of: 0) else { return nil }
            end = zero + 1
        }
        if flags & 2 != 0 { end += 2 }
        return end < prefix.count && end <= 1024 ? Array(prefix[..<end]) : nil
    }
}

/// Takes what an encoder makes and compares it with what it should be.
final class MatchingSink: ByteSink {
    /// The encoder makes something else.
    struct Mismatch: Error {}

    private let prefix: [UInt8]
    private var hasher = DigestHasher()

    /// - Parameter prefix: the first bytes: another encoder is found out by them, long before the end.
    init(prefix: [UInt8]) { self.prefix = prefix }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let start = hasher.count
        if start < UInt64(prefix.count) {
            let expected = prefix[Int(start)...].prefix(bytes.count)
            guard expected.elementsEqual(bytes.prefix(expected.count)) else { throw Mismatch() }
        }
        hasher.update(bytes)
    }

    func finish() -> Digest {
        let copy = hasher
        return copy.finalize()
    }
}
