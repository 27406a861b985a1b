import Digests
import OCI
import Posix

/// Files that are no image layout, seen as one: Docker's archives and flat tars are read with what reads layouts.
///
/// Blobs are other names for files that are there; documents that are not are made.
final class SyntheticLayout: ImageFiles {
    private let base: any ImageFiles
    private var aliases: [String: String] = [:]
    private var documents: [String: [UInt8]] = [:]

    private init(_ base: any ImageFiles) { self.base = base }

    /// An archive of `docker save`: each image of its `manifest.json` becomes one of the index, named by its tags.
    ///
    /// - Throws: ``TransportError``, what reading throws.
    static func docker(_ base: any ImageFiles) throws -> SyntheticLayout {
        let layout = SyntheticLayout(base)
        let reading = FileCheck(base, .none) { _ in }
        let manifest = try reading.document("manifest.json")
        let images = try parsing("manifest.json") { () throws(OCIError) in try DockerArchiveImage.parse(manifest) }
        var index = ImageIndex()
        for image in images {
            let config = try layout.alias(image.config, .dockerConfiguration, reading)
            let layers = try image.layers.map { try layout.alias($0, .dockerLayerTar, reading) }
            let descriptor = layout.add(.imageManifest, Manifest(config: config, layers: layers).canonicalBytes)
            for tag in image.repositoryTags.isEmpty ? [nil] : image.repositoryTags.map(Optional.some) {
                var entry = descriptor
                if let tag { entry.annotations = [AnnotationKey.referenceName: tag] }
                index.manifests.append(entry)
            }
        }
        layout.documents["index.json"] = index.canonicalBytes
        return layout
    }

    /// The one file of `base`, `name`, a tar: an image of one layer without a name.
    static func flat(_ base: any ImageFiles, _ name: String) throws -> SyntheticLayout {
        let layout = SyntheticLayout(base)
        let reading = FileCheck(base, .none) { _ in }
        let diffID = try reading.content(name, nil).diffID
        let layer = try layout.alias(name, .layerTar, reading)
        let configuration = ImageConfiguration(platform: Platform(architecture: "unknown"), diffIDs: [diffID])
        let config = layout.add(.imageConfiguration, configuration.canonicalBytes)
        let manifest = layout.add(.imageManifest, Manifest(config: config, layers: [layer]).canonicalBytes)
        layout.documents["index.json"] = ImageIndex(manifests: [manifest]).canonicalBytes
        return layout
    }

    private func alias(_ name: String, _ mediaType: MediaType, _ reading: FileCheck) throws -> Descriptor {
        let stored = try reading.stored(name)
        aliases[blobName(stored.digest)] = name
        return Descriptor(mediaType: mediaType, digest: stored.digest, size: Int64(clamping: stored.size))
    }

    private func add(_ mediaType: MediaType, _ bytes: [UInt8]) -> Descriptor {
        documents[blobName(Digest(hashing: bytes))] = bytes
        return Descriptor(mediaType: mediaType, of: bytes)
    }

    func size(of name: String) throws -> UInt64? {
        if let document = documents[name] { return UInt64(document.count) }
        return try aliases[name].flatMap { try base.size(of: $0) }
    }

    func read(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        if let document = documents[name] { return try document.withUnsafeBytes(body) }
        guard let own = aliases[name] else { throw TransportError.missing(name: name) }
        try base.read(own, body)
    }

    func names(in directory: String) -> [String] { [] }
}

/// One open file, called `layer.tar`.
final class LoneFile: ImageFiles {
    static let name = "layer.tar"

    private let file: OwnedDescriptor

    init(_ file: consuming OwnedDescriptor) { self.file = file }

    func size(of name: String) throws -> UInt64? { name == Self.name ? try file.status().size : nil }

    func read(_ name: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let size = try size(of: name) else { throw TransportError.missing(name: name) }
        try file.forEachPiece(in: 0..<size, name: name, body)
    }

    func names(in directory: String) -> [String] { [] }
}
