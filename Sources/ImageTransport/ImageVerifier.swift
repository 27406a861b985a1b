public import Bytes
public import Digests
public import OCI
import Posix
import Tar
public import Trees

/// An image that was read back from where it lies, every digest, size and diffID of it recomputed and compared.
public struct VerifiedImage: Sendable {
    /// As the index names it.
    public var descriptor: Descriptor
    public var manifest: Manifest
    public var configuration: ImageConfiguration
    /// Of each layer uncompressed, in bytes; 0 of one that was left out.
    public var layerSizes: [UInt64]
    /// What a container made from the image sees: the layers applied one after the other. Sorted by path.
    public var sortedEntries: Tree.Entries

    /// The same by path. Made anew each time, and takes several times the memory.
    public var entries: [TreePath: Entry] {
        Dictionary(uniqueKeysWithValues: sortedEntries.lazy.map { ($0.path, $0) })
    }

    /// The digest of the manifest: what registries and engines call the digest of the image.
    public var digest: Digest { (try? descriptor.sha256()) ?? .empty }
    public var diffIDs: [DiffID] { configuration.diffIDs }
}

/// Reads images back and checks them.
public enum ImageVerifier {
    /// Verifies every image of the image layout in the directory `path`.
    ///
    /// - Throws: ``TransportError`` for what is wrong, `TarError` for a layer that is no tar, `SystemError`.
    public static func verify(directory path: ByteString) throws -> [VerifiedImage] {
        try verifyAll(in: LayoutFiles(Files.open(path, [.readOnly, .directory])))
    }

    /// Verifies every image of the image layout in the tar archive `path`.
    ///
    /// - Throws: as ``verify(directory:)``.
    public static func verify(archive path: ByteString) throws -> [VerifiedImage] {
        try verifyAll(in: ArchiveFiles(Files.open(path, .readOnly)))
    }

    private static func verifyAll(in files: any ImageFiles) throws -> [VerifiedImage] {
        let header = try required("oci-layout", in: files)
        _ = try parsing("oci-layout") { () throws(OCIError) in try ImageLayoutHeader(parsing: header) }
        let bytes = try required("index.json", in: files)
        let index = try parsing("index.json") { () throws(OCIError) in try ImageIndex(parsing: bytes) }
        return try verify(index, in: files, depth: 1)
    }

    private static func verify(_ index: ImageIndex, in files: any ImageFiles, depth: Int) throws -> [VerifiedImage] {
        var images: [VerifiedImage] = []
        for entry in index.manifests {
            if entry.mediaType.isManifest {
                images.append(try verify(entry, in: files))
            } else if entry.mediaType.isIndex, depth < LayoutImages.depthLimit {
                let (name, bytes) = try document(entry, in: files)
                let nested = try parsing(name) { () throws(OCIError) in try ImageIndex(parsing: bytes) }
                images += try verify(nested, in: files, depth: depth + 1)
            } else {
                throw TransportError.unsupportedMediaType(entry.mediaType)
            }
        }
        return images
    }

    /// Verifies the image whose manifest `descriptor` names: manifest, configuration, and each layer's digest, size,
    /// compression and diffID.
    ///
    /// - Parameter written: what is known of layers, of which only what it leaves in doubt is checked.
    static func verify(
        _ descriptor: Descriptor, in files: any ImageFiles, knowing written: WrittenLayers = WrittenLayers()
    ) throws -> VerifiedImage {
        let (image, manifest) = try SourceImage.read(descriptor, named: nil, in: files)
        var replay = LayerReplay()
        var sizes: [UInt64] = []
        for (index, layer) in manifest.layers.enumerated() {
            if let known = try written[layer.sha256()], known.tar.diffID == image.configuration.diffIDs[index] {
                sizes.append(try verify(known, layer, isLowest: index == 0, in: files, replay: &replay).size)
            } else {
                // What was just written may be as compressible as it likes.
                sizes.append(
                    try image.readLayer(index, limit: .none, intake: HashingIntake(), replay: &replay).size)
            }
        }
        return VerifiedImage(
            descriptor: descriptor, manifest: manifest, configuration: image.configuration, layerSizes: sizes,
            sortedEntries: replay.sortedEntries)
    }

    /// Checks what is in doubt of a layer that was made of `known.entries`, and applies those.
    private static func verify(
        _ known: WrittenLayers.Layer, _ layer: Descriptor, isLowest: Bool, in files: some ImageFiles,
        replay: inout LayerReplay
    ) throws -> LayerPacking.Result {
        let name = try files.blobName(layer.sha256())
        switch known.doubt {
        case .none: break
        case .digest: try readBlob(layer, name, in: files) { _ in }
        case .decoding:
            // zstd's checksum is of what went in: what comes out with the same one is the same.
            var size: UInt64 = 0
            // What was just written may be as compressible as it likes.
            let decompressor = Decompressor(limit: .none, isParallel: true)
            try readBlob(layer, name, in: files) { piece in
                try decompressor.decompress(piece) { size += UInt64($0.count) }
            }
            try decompressor.finish { size += UInt64($0.count) }
            guard size == known.tar.size else {
                throw TransportError.sizeMismatch(name: name, expected: known.tar.size, actual: size)
            }
        }
        if isLowest, let begun = known.replay {
            replay = try begun.value()
        } else if known.isFromBefore {
            try replay.add(layer: LayerPacking.ordered(known.entries).lazy.map(known.packing.recorded))
        } else {
            try replay.add(layerOf: known.entries, known.packing)
        }
        return known.tar
    }

    /// Streams the blob of `descriptor` and compares its size and digest.
    static func readBlob(
        _ descriptor: Descriptor, _ name: String, in files: some ImageFiles,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let expected = try descriptor.sha256()
        guard let size = try files.size(of: name) else { throw TransportError.missing(name: name) }
        guard size == UInt64(descriptor.size) else {
            throw TransportError.sizeMismatch(name: name, expected: UInt64(descriptor.size), actual: size)
        }
        var hasher = DigestHasher()
        // What damaged bytes lead to is not worth a message of its own: the digest is what is wrong.
        var failure: (any Error)?
        try files.read(name) { piece in
            hasher.update(piece)
            if failure == nil { do { try body(piece) } catch { failure = error } }
        }
        let actual = hasher.finalize()
        guard actual == expected else {
            throw TransportError.digestMismatch(name: name, expected: expected, actual: actual)
        }
        if let failure { throw failure }
    }

    static func document(_ descriptor: Descriptor, in files: some ImageFiles) throws -> (String, [UInt8]) {
        let name = try files.blobName(descriptor.sha256())
        guard descriptor.size <= Int64(JSONValue.sizeLimit) else {
            throw TransportError.malformedDocument(name: name, .documentTooLarge(size: Int(clamping: descriptor.size)))
        }
        var bytes: [UInt8] = []
        try readBlob(descriptor, name, in: files) { bytes.append(contentsOf: $0) }
        return (name, bytes)
    }

    static func required(_ name: String, in files: some ImageFiles) throws -> [UInt8] {
        guard let bytes = try files.document(name) else { throw TransportError.missing(name: name) }
        return bytes
    }
}
