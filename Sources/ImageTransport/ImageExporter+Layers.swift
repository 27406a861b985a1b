import Bytes
import Digests
import OCI
import Posix
import SystemPackage
public import Trees

/// What is known of the layers that an export wrote, before they are read back.
struct WrittenLayers {
    /// What is still to be checked of a layer.
    enum Doubt {
        /// Nothing: it was read back while it was written, or is the very inode of a cached layer.
        case none
        /// Whether the file holds what was written: its compressed bytes were decompressed and compared while they were made.
        case digest
        /// Whether it can be decompressed to what it was made of as well.
        case decoding
    }

    struct Layer {
        var tar: LayerPacking.Result
        /// What it was made of, as its tar has it.
        var entries: Tree.Entries
        var packing: LayerPacking
        var doubt: Doubt
        /// Whether these entries were made into this layer, and found to be in it, before.
        var isFromBefore = false
        /// What replaying its members makes where nothing is below, begun while it was written.
        var replay: Background<LayerReplay>?
    }

    private(set) var layers: [Digest: Layer] = [:]
    /// Those that the cache is to keep when they were verified.
    private(set) var news: [(key: Digest, layer: CachedLayer)] = []

    subscript(digest: Digest) -> Layer? {
        get { layers[digest] }
        set { layers[digest] = newValue }
    }

    /// The same, where the layers were copied into an archive: it is to be read.
    var inCopies: WrittenLayers {
        var copies = self
        for (digest, layer) in layers where layer.doubt == .none { copies.layers[digest]?.doubt = .digest }
        return copies
    }

    mutating func keep(_ layer: CachedLayer, as key: Digest) { news.append((key, layer)) }
}

extension ImageExporter {
    /// What the layer of `entries` became when it was written before; nil when that is not known.
    ///
    /// - Throws: what ``isSound`` throws.
    public func knownLayer(_ entries: Tree.Entries) throws -> ImageDescription.LeftOut? {
        guard let cache, compression != .none, !isStargz else { return nil }
        let key = packing.key(entries, codec: LayerCache.codec(compression, level: compressionLevel))
        guard let layer = cache.find(key)?.layer, try isSound?(entries) ?? true else { return nil }
        let blob = Descriptor(
            mediaType: compression.layerMediaType, digest: layer.digest, size: Int64(clamping: layer.size))
        return ImageDescription.LeftOut(diffID: layer.tar.diffID, blob: blob)
    }

    /// Writes the layer of `layer`'s entries, or takes it from the cache.
    ///
    /// - Parameter isLowest: whether nothing is below it in the image.
    /// - Returns: its descriptor.
    func add(
        _ layer: ImageDescription.Layer, isLowest: Bool, to layout: LayoutWriter, _ written: inout WrittenLayers
    ) throws -> Descriptor {
        if let compressionLevel, compression.levels?.contains(compressionLevel) != true {
            throw TransportError.compressionLevel(compression, compressionLevel)
        }
        let codec = LayerCache.codec(compression, level: compressionLevel)
        let cache = compression == .none ? nil : cache
        let isSound = compression == .none ? nil : beginIsSound(layer.entries)
        let replay = isLowest ? WrittenLayers.beginReplay(of: layer.entries, packing, pool) : nil
        var key: Digest?
        if let cache {
            let made = packing.key(layer.entries, codec: codec)
            if let found = cache.find(made), try isSound?.value() ?? true {
                let descriptor = try add(
                    found, cache, layer, packing, compression.layerMediaType, to: layout, &written)
                written[found.layer.digest]?.replay = replay
                return descriptor
            }
            key = made
        }
        let diffID = compression == .none ? nil : try knownDiffID(of: layer, isSound)
        var segments: [StoredSegment] = []
        var result: LayerPacking.Result?
        let known = compression == .gzip ? cache.map { KnownSegments($0, codec: codec) } : nil
        let depth = compression == .zstd ? ReadBack.Depth.decoding(isHashing: false) : .digest
        let added = try layout.addBlob(compression.layerMediaType, readingBack: depth) { sink in
            if compression == .gzip {
                let packer = GzipPacking(
                    packing: packing, contents: contents, level: compressionLevel ?? Compression.gzip.usualLevel,
                    pool: pool, progress: progress)
                (result, segments) = try packer.pack(layer.entries, diffID: diffID, known: known, into: sink)
            } else if compression == .none {
                result = try packPlain(layer.entries, into: sink)
            } else {
                result = try self.pack(layer.entries, compression, diffID: diffID, into: sink)
            }
        }
        let descriptor = added.descriptor
        guard let result else { return descriptor }
        let digest = try descriptor.sha256()
        // zstd's checksum is of what went in: what comes out with the same one is the same.
        if let content = added.content, content.size != result.size {
            throw TransportError.sizeMismatch(
                name: "blobs/sha256/\(digest.hexadecimal)", expected: result.size, actual: content.size)
        }
        written[digest] = WrittenLayers.Layer(
            tar: result, entries: layer.entries, packing: packing,
            doubt: added.isReadBack ? .none : compression == .zstd ? .decoding : .digest, replay: replay)
        if let key {
            let stored = CachedLayer(
                digest: digest, size: UInt64(descriptor.size), tar: result, codec: codec, segments: segments)
            written.keep(stored, as: key)
        }
        return descriptor
    }

    /// Takes a layer from the cache.
    func add(
        _ found: LayerCache.Found, _ cache: LayerCache, _ layer: ImageDescription.Layer, _ packing: LayerPacking,
        _ mediaType: MediaType, to layout: LayoutWriter, _ written: inout WrittenLayers
    ) throws -> Descriptor {
        let isSameInode = try layout.addBlob(found, from: cache)
        written[found.layer.digest] = WrittenLayers.Layer(
            tar: found.layer.tar, entries: layer.entries, packing: packing, doubt: isSameInode ? .none : .digest,
            isFromBefore: true)
        for content in layer.entries.contents { try progress?(content.size) }
        return Descriptor(
            mediaType: mediaType, digest: found.layer.digest, size: Int64(clamping: found.layer.size))
    }

    /// Lets the cache keep what was written and verified.
    func keep(_ written: WrittenLayers, of layout: LayoutWriter) {
        guard let cache else { return }
        for new in written.news { layout.keep(new.layer, key: new.key, in: cache) }
    }

    /// Begins to find out whether the contents of `entries` are sound; nil where that is not asked.
    private func beginIsSound(_ entries: Tree.Entries) -> Background<Bool>? {
        isSound.map { isSound in Background(pool) { try isSound(entries) } }
    }

    /// The digest of the layer's tar, where it was computed before for the same times, and its contents are sound.
    private func knownDiffID(of layer: ImageDescription.Layer, _ isSound: Background<Bool>?) throws -> DiffID? {
        guard let diffID = try packing.diffID(of: layer.entries, known: layer.knownDiffID) else { return nil }
        return try isSound?.value() ?? true ? diffID : nil
    }
}

extension LayerPacking {
    /// The digest of the tar of `entries`: what `known` gives, unless it is of later times than these may be.
    func diffID(of entries: Tree.Entries, known: (@Sendable () throws -> DiffID?)?) throws -> DiffID? {
        guard let known else { return nil }
        let newest = entries.newest?.seconds ?? 0
        return newest <= sourceDateEpoch ?? .max ? try known() : nil
    }
}
