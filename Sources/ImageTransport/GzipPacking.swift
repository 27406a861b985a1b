import Digests
import Posix
import Tar
import Trees

/// Packs a layer into one gzip member of segments, each of which is known again when the same piece of a layer comes.
struct GzipPacking {
    let packing: LayerPacking
    let contents: any ContentSource
    let level: Int
    let pool: WorkerPool
    let progress: (@Sendable (UInt64) throws -> Void)?

    /// Writes the compressed layer of `entries` to `sink`.
    ///
    /// - Parameters:
    ///   - diffID: that of the tar, where it was computed before: then nothing is read of what is known.
    ///   - known: segments that were compressed before.
    /// - Throws: ``TransportError``, `TarError` for what tar cannot express, and what the contents and the sink throw.
    func pack(
        _ entries: Tree.Entries, diffID: DiffID?, known: KnownSegments?, into sink: any ByteSink
    ) throws -> (result: LayerPacking.Result, segments: [StoredSegment]) {
        let compressor = GzipCompressor(output: sink, level: level, pool: pool)
        var tar = Tally(isHashing: diffID == nil)
        try packing.forEachPiece(entries) { piece in
            let keys = piece.keys
            if diffID != nil, let known, known.contains(keys) {
                for key in keys { try write(key, known, into: compressor) }
                tar.skip(piece.count)
                try progress?(piece.count)
                return
            }
            switch piece {
            case .group(let parts, let count):
                let bytes = try read(parts, count: count)
                tar.add(bytes)
                try write(bytes, keys[0], isGroup: true, known, into: compressor)
            case .file(let digest, let size, let path):
                var keys = keys[...]
                var bytes: [UInt8] = []
                func end() throws {
                    guard !bytes.isEmpty, let key = keys.popFirst() else { return }
                    tar.add(bytes)
                    try write(bytes, key, isGroup: false, known, into: compressor)
                    bytes = []
                }
                try contents.readChecked(digest, size: size, path: path) { piece in
                    var rest = piece[...]
                    while !rest.isEmpty {
                        if bytes.isEmpty { bytes.reserveCapacity(GzipCompressor.segmentSize) }
                        let taken = rest.prefix(GzipCompressor.segmentSize - bytes.count)
                        bytes.append(contentsOf: taken)
                        rest = rest.dropFirst(taken.count)
                        if bytes.count == GzipCompressor.segmentSize { try end() }
                    }
                    try progress?(UInt64(piece.count))
                }
                try end()
            }
        }
        try compressor.finish()
        return (LayerPacking.Result(diffID: diffID ?? tar.diffID, size: tar.size), compressor.segments)
    }

    private func read(_ parts: [LayerPacking.Piece.Part], count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for part in parts {
            switch part {
            case .bytes(let more): bytes += more
            case .content(let digest, let size, let path):
                try contents.readChecked(digest, size: size, path: path) { bytes.append(contentsOf: $0) }
                try progress?(size)
            }
        }
        return bytes
    }

    private func write(
        _ bytes: [UInt8], _ key: Digest, isGroup: Bool, _ known: KnownSegments?, into compressor: GzipCompressor
    ) throws {
        if let segment = try known?.read(key), segment.uncompressedCount == bytes.count {
            try compressor.write(segment, key: key)
        } else {
            try compressor.write(piece: bytes, key: key, isGroup: isGroup)
        }
    }

    private func write(_ key: Digest, _ known: KnownSegments, into compressor: GzipCompressor) throws {
        guard let segment = try known.read(key) else { return }
        try compressor.write(segment, key: key)
    }
}

/// What is known of a tar that is written in pieces.
private struct Tally {
    let isHashing: Bool
    private(set) var size: UInt64 = 0
    private var hasher = DigestHasher()

    init(isHashing: Bool) { self.isHashing = isHashing }

    var diffID: DiffID {
        let copy = hasher
        return DiffID(copy.finalize())
    }

    mutating func add(_ bytes: [UInt8]) {
        size += UInt64(bytes.count)
        if isHashing { bytes.withUnsafeBytes { hasher.update($0) } }
    }

    mutating func skip(_ count: UInt64) { size += count }
}

extension LayerPacking {
    /// Stands for the way from entries to a tar; another one is another word.
    private static let form = Array("tar 1\n".utf8)

    /// Identifies the compressed layer of `entries`, by what it is made of: the tar depends on nothing but entries as they are recorded.
    func key(_ entries: Tree.Entries, codec: Digest) -> Digest {
        var hasher = DigestHasher()
        codec.withUnsafeBytes { hasher.update($0) }
        Self.form.withUnsafeBytes { hasher.update($0) }
        TreeDump.encode(eachOf: entries, time: recorded) { hasher.update($0) }
        return hasher.finalize()
    }
}
