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
        for index in layers.indices {
            // Where the tar is the canonical one, the tree has just what the tar has; else it also has directories as they
            // were below it where it came from.
            if let stored = stored[index], stored.original.skeleton == nil {
                try body(index, apply(stored, index, to: &replay))
            } else {
                try body(
                    index, readLayer(index, limit: limit, intake: intake(index), progress: progress, replay: &replay))
            }
        }
        return replay.entries
    }

    /// Applies a layer that is at hand, and whose tar was hashed when it came, to `replay`.
    private func apply(_ stored: StoredLayer, _ index: Int, to replay: inout LayerReplay) throws -> Layer {
        for entry in stored.entries { replay.add(entry) }
        let tree = try replay.endLayer()
        let diffID = stored.original.diffID
        guard diffID == configuration.diffIDs[index] else {
            throw TransportError.diffIDMismatch(
                layer: index, expected: configuration.diffIDs[index], actual: diffID)
        }
        let descriptor = layers[index].descriptor
        let blob = try descriptor.map { (try $0.sha256(), UInt64(clamping: $0.size)) } ?? (diffID.digest, 0)
        return Layer(
            tree: tree, diffID: diffID, size: 0, parts: [], tail: 0, blob: blob, format: .plain,
            mediaType: descriptor?.mediaType, prefix: [], others: .empty)
    }

    /// Reads a layer, verifies its size, digest and diffID, and applies it to `replay`.
    func readLayer(
        _ index: Int, limit: ExpansionLimit, intake: any LayerIntake,
        progress: (UInt64) throws -> Void = { _ in }, replay: inout LayerReplay
    ) throws -> Layer {
        let place = layers[index]
        let isHashed = stored[index] == nil && place.descriptor != nil
        var stream = LayerStream(replay: replay, limit: limit, intake: intake, isHashed: isHashed)
        if let stored = stored[index] {
            let sink = LayerSink(stream)
            try stored.writeTar(into: sink)
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
        var (next, layer) = try stream.finish(isVerified: true)
        swap(&replay, &next)
        guard layer.diffID == configuration.diffIDs[index] else {
            throw TransportError.diffIDMismatch(
                layer: index, expected: configuration.diffIDs[index], actual: layer.diffID)
        }
        layer.mediaType = place.descriptor?.mediaType
        if let descriptor = place.descriptor { layer.blob = (try descriptor.sha256(), UInt64(descriptor.size)) }
        return layer
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
    private let isHashed: Bool
    private var prefix: [UInt8] = []

    /// - Parameter isHashed: whether somebody else computes the digest of what is read.
    init(replay: LayerReplay, limit: ExpansionLimit, intake: any LayerIntake, isHashed: Bool = false) {
        self.isHashed = isHashed
        let decompressor = Decompressor(limit: limit, isParallel: true, isHashing: true)
        self.decompressor = decompressor
        reader = LayerReader(replay: replay, intake: intake) { try decompressor.expand(by: $0) }
    }

    /// A layer that lies above no other.
    public init(limit: ExpansionLimit, intake: any LayerIntake) {
        self.init(replay: LayerReplay(), limit: limit, intake: intake)
    }

    /// Reads the next bytes of the layer as it lies somewhere.
    public mutating func read(_ piece: UnsafeRawBufferPointer) throws {
        if !isHashed { blob.update(piece) }
        if prefix.count < 64 << 10 { prefix.append(contentsOf: piece.prefix(64 << 10 - prefix.count)) }
        try decompressor.decompress(piece) { try reader.read($0) }
    }

    /// Ends the layer.
    public mutating func finish() throws -> SourceImage.Layer { try finish(isVerified: false).layer }

    mutating func finish(isVerified: Bool) throws -> (replay: LayerReplay, layer: SourceImage.Layer) {
        try decompressor.finish { try reader.read($0) }
        let copy = reader
        let layer = try copy.finish(isVerified: isVerified)
        let tar = decompressor.content
        let hasher = blob
        let size = blob.count
        return (
            layer.replay ?? LayerReplay(),
            SourceImage.Layer(
                tree: layer.tree, diffID: DiffID(tar.digest), size: tar.size, parts: layer.parts, tail: layer.tail,
                blob: (hasher.finalize(), size), format: decompressor.format ?? .plain, mediaType: nil, prefix: prefix,
                others: layer.others)
        )
    }
}
