public import Bytes
public import Digests
public import OCI
import Posix
public import Trees

/// An image where others put it: its documents verified, its layers still to be read.
public struct SourceImage {
    /// How many layers an image may have.
    public static let layerLimit = 1024

    /// A name that it has there; nil where it has none.
    public var name: String?
    /// What names its manifest; nil in an archive of Docker's, which has none.
    public var descriptor: Descriptor?
    public var manifestBytes: [UInt8]?
    public var manifest: Manifest?
    public var configuration: ImageConfiguration
    public var configurationBytes: [UInt8]
    public var platform: Platform { configuration.platform }
    public var layerCount: Int { layers.count }

    struct LayerPlace {
        var file: String
        /// Nil where only the diffID says what it must be.
        var descriptor: Descriptor?
    }

    let layers: [LayerPlace]
    let files: any ImageFiles
    /// Layers, by their number, that are made again instead of being read where the image lies.
    public var stored: [Int: StoredLayer] = [:]

    /// A layer, read to its end and found to be what the image says.
    public struct Layer: Sendable {
        public var tree: Tree
        public var diffID: DiffID
        /// Of the tar in bytes.
        public var size: UInt64
        /// For a ``Skeleton``.
        public var parts: [Skeleton.Part]
        public var tail: UInt64
        /// Of the bytes as they lie there, compressed mostly.
        public var blob: (digest: Digest, size: UInt64)
        public var format: StreamFormat
        public var mediaType: MediaType?
        /// The first bytes of the blob.
        public var prefix: [UInt8]
        /// The digest of the bytes of the tar that are no content of a file.
        var others: Digest
    }

    /// Reads all layers, the lowest first, and verifies size, digest and diffID of each.
    ///
    /// - Parameters:
    ///   - limit: how much a compressed layer may grow.
    ///   - intake: takes what is in the layer of the number given.
    ///   - progress: called with the number of bytes read since the last call.
    ///   - body: called with each layer.
    /// - Returns: what a container made from the image sees, by path.
    /// - Throws: ``TransportError``, `TarError`, and what `intake` and `body` throw.
    @discardableResult
    public func readLayers(
        limit: ExpansionLimit = ExpansionLimit(), intake: (Int) throws -> any LayerIntake,
        progress: (UInt64) throws -> Void = { _ in }, _ body: (Int, Layer) throws -> Void
    ) throws -> [TreePath: Entry] {
        var replay = LayerReplay()
        for (index, place) in layers.enumerated() {
            var stream = LayerStream(replay: replay, limit: limit, intake: try intake(index))
            if let stored = stored[index] {
                // As if it were read, so that nothing of it is only believed.
                let sink = LayerSink(stream)
                try stored.writeTar(into: sink, progress: nil)
                stream = sink.stream
            } else if let descriptor = place.descriptor {
                try ImageVerifier.readBlob(descriptor, place.file, in: files) { piece in
                    try stream.read(piece)
                    try progress(UInt64(piece.count))
                }
            } else {
                try files.read(place.file) { piece in
                    try stream.read(piece)
                    try progress(UInt64(piece.count))
                }
            }
            let (next, read) = try stream.finish()
            replay = next
            guard read.diffID == configuration.diffIDs[index] else {
                throw TransportError.diffIDMismatch(
                    layer: index, expected: configuration.diffIDs[index], actual: read.diffID)
            }
            var layer = read
            layer.mediaType = place.descriptor?.mediaType
            if stored[index] != nil, let descriptor = place.descriptor {
                layer.blob = (try descriptor.sha256(), UInt64(clamping: descriptor.size))
            }
            try body(index, layer)
        }
        return replay.entries
    }

    /// What names the layer `index`, and the diffID it has to have; nil in an archive of Docker's.
    public func layer(_ index: Int) -> (descriptor: Descriptor, diffID: DiffID)? {
        layers[index].descriptor.map { ($0, configuration.diffIDs[index]) }
    }

    /// Whether the bytes of the layer `index` lie there.
    public func hasBlob(ofLayer index: Int) throws -> Bool { try files.size(of: layers[index].file) != nil }

    /// The bytes of all layers as they lie there.
    public var size: UInt64 {
        layers.reduce(0) { $0 &+ (((try? files.size(of: $1.file)) ?? nil) ?? 0) }
    }

    /// Streams the bytes of a layer as they lie there. They were verified when the layer was read.
    public func readBlob(ofLayer index: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try files.read(layers[index].file, body)
    }
}

/// Reads one layer: decompresses, takes apart, replays.
public struct LayerStream {
    private var reader: LayerReader
    private let decompressor: Decompressor
    private var blob = DigestHasher()
    private var prefix: [UInt8] = []

    init(replay: LayerReplay, limit: ExpansionLimit, intake: any LayerIntake) {
        let decompressor = Decompressor(limit: limit)
        self.decompressor = decompressor
        reader = LayerReader(replay: replay, intake: intake) { try decompressor.expand(by: $0) }
    }

    /// A layer that lies above no other.
    public init(limit: ExpansionLimit, intake: any LayerIntake) {
        self.init(replay: LayerReplay(), limit: limit, intake: intake)
    }

    /// Reads the next bytes of the layer as it lies somewhere.
    public mutating func read(_ piece: UnsafeRawBufferPointer) throws {
        blob.update(piece)
        if prefix.count < 64 << 10 { prefix.append(contentsOf: piece.prefix(64 << 10 - prefix.count)) }
        try decompressor.decompress(piece) { try reader.read($0) }
    }

    /// Ends the layer.
    public mutating func finish() throws -> SourceImage.Layer { try finish().layer }

    mutating func finish() throws -> (replay: LayerReplay, layer: SourceImage.Layer) {
        try decompressor.finish { try reader.read($0) }
        let copy = reader
        let layer = try copy.finish()
        let hasher = blob
        let size = blob.count
        return (
            layer.replay ?? LayerReplay(),
            SourceImage.Layer(
                tree: layer.tree, diffID: layer.diffID, size: layer.size, parts: layer.parts, tail: layer.tail,
                blob: (hasher.finalize(), size), format: decompressor.format ?? .plain, mediaType: nil, prefix: prefix,
                others: layer.others)
        )
    }
}
