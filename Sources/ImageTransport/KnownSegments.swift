import Bytes
import Digests
import Posix
import SystemPackage

/// Where segments that were compressed before lie.
final class KnownSegments {
    /// How many cached layers are looked through: those used last.
    private static let layerLimit = 32

    private let cache: LayerCache
    private var places: [Digest: (layer: Int, segment: StoredSegment)] = [:]
    private var files: [SharedDescriptor] = []

    /// The segments of the layers in `cache` that were compressed by `codec`.
    init(_ cache: LayerCache, codec: Digest) {
        self.cache = cache
        for found in cache.recent(limit: Self.layerLimit) where found.layer.codec == codec {
            guard let file = try? cache.directory.open(found.name, [.readOnly, .noFollow]) else { continue }
            for segment in found.layer.segments where places[segment.key] == nil {
                places[segment.key] = (files.count, segment)
            }
            files.append(SharedDescriptor(file))
        }
    }

    func contains(_ keys: [Digest]) -> Bool { keys.allSatisfy { places[$0] != nil } }

    /// nil when it is not known.
    ///
    /// - Throws: when it cannot be read.
    func read(_ key: Digest) throws -> DeflateSegment? {
        guard let (layer, segment) = places[key] else { return nil }
        let file = files[layer]
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(segment.count))
        let range = segment.offset..<(segment.offset + UInt64(segment.count))
        try file.descriptor.forEachPiece(in: range, name: "\(file.descriptor.path)") { bytes.append(contentsOf: $0) }
        return DeflateSegment(bytes, of: segment)
    }
}
