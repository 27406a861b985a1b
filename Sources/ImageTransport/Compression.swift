public import OCI
import Posix

/// How layers are compressed.
public enum Compression: String, Hashable, Sendable, CaseIterable {
    case none
    case gzip
    /// One frame (RFC 8878). No media type of Docker is for it (media-types.md).
    case zstd

    /// The media type of a layer compressed so.
    public var layerMediaType: MediaType {
        switch self {
        case .none: .layerTar
        case .gzip: .layerTarGzip
        case .zstd: .layerTarZstd
        }
    }

    /// What the first bytes of a stream that is so compressed say.
    var format: StreamFormat {
        switch self {
        case .none: .plain
        case .gzip: .gzip
        case .zstd: .zstd
        }
    }

    /// The compression that the layer media types of OCI and Docker stand for; nil for other types.
    public init?(layerMediaType: MediaType) {
        switch layerMediaType {
        case .layerTar, .dockerLayerTar: self = .none
        case .layerTarGzip, .dockerLayerTarGzip: self = .gzip
        case .layerTarZstd: self = .zstd
        default: return nil
        }
    }

    /// From the fastest to the smallest; nil where there is nothing to choose.
    ///
    /// zstd's levels above 19 need windows of more than 8 MiB, which RFC 8878, section 3.1.1.1.2, asks no decoder to have.
    public var levels: ClosedRange<Int>? {
        switch self {
        case .none: nil
        case .gzip: 1...9
        case .zstd: 1...19
        }
    }

    /// Smaller than what container engines write, in no more time (docs/decisions/0020-segments-that-are-known-again.md).
    public var usualLevel: Int { 3 }

    /// Gives `body` a sink that compresses to `output`, and ends the stream after it.
    ///
    /// - Throws: ``TransportError/compressionLevel(_:_:)``, ``TransportError/outOfMemory``, what `body` and `output` throw.
    func compress<Result>(
        into output: any ByteSink, level: Int?, pool: WorkerPool, _ body: (any ByteSink) throws -> Result
    ) throws -> Result {
        if let level, levels?.contains(level) != true { throw TransportError.compressionLevel(self, level) }
        switch self {
        case .none: return try body(output)
        case .gzip:
            let compressor = GzipCompressor(output: output, level: level ?? usualLevel, pool: pool)
            let result = try body(compressor)
            try compressor.finish()
            return result
        case .zstd:
            let compressor = try ZstdCompressor(output: output, level: level ?? usualLevel, pool: pool)
            let result = try body(compressor)
            try compressor.finish()
            return result
        }
    }
}
