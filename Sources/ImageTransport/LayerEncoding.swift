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

    /// As image records have it: `none`, `layerfs 4`, `zlib 6 1f8b08…`.
    public var text: String {
        switch self {
        case .none: "none"
        case .layerfs: "layerfs 4"
        case .zlib(let level, let header): "zlib \(level) \(header.map(Self.hexadecimal).joined())"
        }
    }

    /// nil for anything that ``text`` does not give.
    public init?(_ text: String) {
        let fields = text.split(separator: " ", omittingEmptySubsequences: false)
        switch fields.first {
        case "none" where fields.count == 1: self = .none
        // Without a number: with zlib; with 2: in other segments; with 3: a level more. Those were of the first versions.
        case "layerfs" where fields.dropFirst() == ["4"]: self = .layerfs
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

    /// Writes `tar`, so encoded, to `output`.
    ///
    /// - Throws: as ``LayerTar/write(into:pool:)``.
    @discardableResult
    func encode(_ tar: LayerTar, into output: any ByteSink, pool: WorkerPool) throws -> LayerPacking.Result {
        switch self {
        case .none: return try tar.write(into: output, pool: pool)
        case .layerfs: return try tar.writeGzip(into: output, level: Compression.gzip.usualLevel, pool: pool)
        case .zlib(let level, let header):
            let encoder = try GzipEncoder(output: output, level: level, header: header)
            let result = try tar.write(into: encoder, pool: pool)
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
        let tar = LayerTar(entries: layer.tree.entries.dropFirst(), skeleton: skeleton, contents: contents)
        for candidate in candidates(layer.format, prefix: layer.prefix) {
            if candidate == .none { return candidate }
            // Nobody else makes what begins as layerfs makes it; and whoever gives the layer back looks at its digest.
            let sink = MatchingSink(
                prefix: layer.prefix,
                isPrefixEnough: candidate == .layerfs && layer.blob.size > UInt64(layer.prefix.count))
            // Of which the first piece tells: others would only be compressed in vain.
            let pool = candidate == .layerfs ? WorkerPool(workers: 1) : pool
            do {
                try candidate.encode(tar, into: sink, pool: pool)
            } catch is MatchingSink.Mismatch {
                continue
            } catch is MatchingSink.Match {
                return candidate
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
    /// The encoder makes the same, as far as is known.
    struct Match: Error {}

    private let prefix: [UInt8]
    private let isPrefixEnough: Bool
    private var hasher = DigestHasher()

    /// - Parameters:
    ///   - prefix: the first bytes: another encoder is found out by them, long before the end.
    ///   - isPrefixEnough: whether what goes on behind them is taken to be the same.
    init(prefix: [UInt8], isPrefixEnough: Bool = false) {
        (self.prefix, self.isPrefixEnough) = (prefix, isPrefixEnough)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let start = hasher.count
        if start < UInt64(prefix.count) {
            let expected = prefix[Int(start)...].prefix(bytes.count)
            guard expected.elementsEqual(bytes.prefix(expected.count)) else { throw Mismatch() }
        }
        if isPrefixEnough, start + UInt64(bytes.count) > UInt64(prefix.count) { throw Match() }
        hasher.update(bytes)
    }

    func finish() -> Digest {
        let copy = hasher
        return copy.finalize()
    }
}
