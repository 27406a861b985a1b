import Bytes
import Digests
import Tar
import Trees

extension LayerPacking {
    /// Files beyond this size, in bytes, are pieces of their own, whatever surrounds them.
    private static let largeSize: UInt64 = 64 << 10
    /// A group of small files ends with the first that reaches this size, in bytes.
    private static let groupSize = 256 << 10

    /// A part of a layer's tar that is compressed for itself, and known again by what it is made of, without reading it.
    enum Piece {
        /// Headers, small files and padding, of ``groupSize`` bytes and a little more at most.
        case group([Part], count: Int)
        /// All of a large file.
        case file(Digest, size: UInt64, path: TreePath)

        enum Part {
            case bytes([UInt8])
            case content(Digest, size: UInt64, path: TreePath)
        }
    }

    /// Calls `body` with the pieces of the tar of `entries`, in order. They are cut where files begin and end, and between files
    /// and what is none, so that a change of one file leaves most of them what they were.
    ///
    /// - Throws: as ``pack(_:from:into:progress:)``.
    func forEachPiece(_ entries: Tree.Entries, _ body: (Piece) throws -> Void) throws {
        var parts: [Piece.Part] = []
        var bytes: [UInt8] = []
        var count = 0
        func endBytes() {
            guard !bytes.isEmpty else { return }
            count += bytes.count
            parts.append(.bytes(bytes))
            bytes = []
        }
        func endGroup() throws {
            endBytes()
            guard !parts.isEmpty else { return }
            try body(.group(parts, count: count))
            (parts, count) = ([], 0)
        }
        var isVolatile = false
        for entry in Self.ordered(entries) {
            // The time of directories and links is that of the newest file of the layer: where one file changes, all of them do.
            let isNextVolatile = if case .file = entry.kind { false } else { true }
            if isNextVolatile != isVolatile { try endGroup() }
            isVolatile = isNextVolatile
            bytes += try TarEncoder.encode(header(for: entry))
            guard case .file(let digest, let size) = entry.kind, size > 0 else { continue }
            if size > Self.largeSize {
                try endGroup()
                try body(.file(digest, size: size, path: entry.path))
            } else {
                endBytes()
                parts.append(.content(digest, size: size, path: entry.path))
                count += Int(size)
            }
            bytes += [UInt8](repeating: 0, count: TarEncoder.padding(after: size))
            if count + bytes.count >= Self.groupSize { try endGroup() }
        }
        bytes += TarEncoder.endOfArchive
        try endGroup()
    }
}

extension LayerPacking.Piece {
    /// What identifies the segments that this piece becomes: one for a group, one for each ``GzipCompressor/segmentSize``
    /// bytes of a file.
    var keys: [Digest] {
        switch self {
        case .group(let parts, _):
            var hasher = DigestHasher()
            func add(_ kind: UInt8) { withUnsafeBytes(of: kind) { hasher.update($0) } }
            for part in parts {
                switch part {
                case .bytes(let bytes):
                    add(0)
                    withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { hasher.update($0) }
                    bytes.withUnsafeBytes { hasher.update($0) }
                case .content(let digest, _, _):
                    add(1)
                    digest.withUnsafeBytes { hasher.update($0) }
                }
            }
            return [hasher.finalize()]
        case .file(let digest, let size, _):
            let count = (size + UInt64(GzipCompressor.segmentSize) - 1) / UInt64(GzipCompressor.segmentSize)
            return (0..<count).map { number in
                Digest(hashing: [2] + digest.bytes + UInt32(truncatingIfNeeded: number).littleEndianBytes)
            }
        }
    }

    /// In bytes.
    var count: UInt64 {
        switch self {
        case .group(_, let count): UInt64(count)
        case .file(_, let size, _): size
        }
    }
}
