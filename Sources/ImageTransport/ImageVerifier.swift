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
    /// What a container made from the image sees, by path: the layers applied one after the other.
    public var entries: [TreePath: Entry]

    /// The digest of the manifest: what registries and engines call the digest of the image.
    public var digest: Digest { (try? descriptor.sha256()) ?? .empty }
    public var diffIDs: [DiffID] { configuration.diffIDs }
}

/// Reads images back and checks them.
public enum ImageVerifier {
    /// How deep an index may name further indexes.
    private static let depthLimit = 8

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

    private static func verifyAll(in files: some ImageFiles) throws -> [VerifiedImage] {
        let header = try required("oci-layout", in: files)
        _ = try parsing("oci-layout") { () throws(OCIError) in try ImageLayoutHeader(parsing: header) }
        let bytes = try required("index.json", in: files)
        let index = try parsing("index.json") { () throws(OCIError) in try ImageIndex(parsing: bytes) }
        return try verify(index, in: files, depth: 1)
    }

    private static func verify(_ index: ImageIndex, in files: some ImageFiles, depth: Int) throws -> [VerifiedImage] {
        var images: [VerifiedImage] = []
        for entry in index.manifests {
            if entry.mediaType.isManifest {
                images.append(try verify(entry, in: files))
            } else if entry.mediaType.isIndex, depth < depthLimit {
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
    /// - Parameter leftOut: by their number, the entries of layers that are not there: they are applied as they are.
    static func verify(
        _ descriptor: Descriptor, in files: some ImageFiles, leftOut: [Int: [Entry]] = [:]
    ) throws -> VerifiedImage {
        let (manifestName, manifestBytes) = try document(descriptor, in: files)
        let manifest = try parsing(manifestName) { () throws(OCIError) in try Manifest(parsing: manifestBytes) }
        let (configName, configBytes) = try document(manifest.config, in: files)
        let configuration = try parsing(configName) { () throws(OCIError) in
            try ImageConfiguration(parsing: configBytes)
        }
        guard manifest.layers.count == configuration.diffIDs.count else {
            throw TransportError.layerCount(manifest: manifest.layers.count, configuration: configuration.diffIDs.count)
        }
        var replay = LayerReplay()
        var sizes: [UInt64] = []
        for (index, layer) in manifest.layers.enumerated() {
            if let entries = leftOut[index] {
                for entry in entries { replay.add(entry) }
                try replay.endLayer()
                sizes.append(0)
                continue
            }
            let result = try verifyLayer(layer, in: files, replay: &replay)
            guard result.diffID == configuration.diffIDs[index] else {
                throw TransportError.diffIDMismatch(
                    layer: index, expected: configuration.diffIDs[index], actual: result.diffID)
            }
            sizes.append(result.size)
        }
        return VerifiedImage(
            descriptor: descriptor, manifest: manifest, configuration: configuration, layerSizes: sizes,
            entries: replay.entries)
    }

    private static func verifyLayer(
        _ layer: Descriptor, in files: some ImageFiles, replay: inout LayerReplay
    ) throws -> LayerPacking.Result {
        let name = try files.blobName(layer.sha256())
        guard layer.mediaType.isLayer else { throw TransportError.unsupportedMediaType(layer.mediaType) }
        // What was just written may be as compressible as it likes.
        let decompressor = Decompressor(limit: .none)
        var reader = LayerReader(replay: replay, intake: HashingIntake()) { try decompressor.expand(by: $0) }
        func pass(_ bytes: UnsafeRawBufferPointer) throws { try reader.read(bytes) }
        try readBlob(layer, name, in: files) { piece in try decompressor.decompress(piece, pass) }
        try decompressor.finish(pass)
        let result = try reader.finish()
        if let next = result.replay { replay = next }
        return LayerPacking.Result(diffID: result.diffID, size: result.size)
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
