import Bytes
import Digests
import OCI
import Posix
import SystemPackage

/// Writes into the directory of an image layout (image-spec, image-layout.md). Blobs are never overwritten, documents
/// replaced by rename; whoever reads the layout meanwhile sees it before or after, not between.
final class LayoutWriter {
    private let root: OwnedDescriptor
    private let blobs: OwnedDescriptor
    /// Whether each file is durable before it gets its name.
    private let isFlushing: Bool

    /// Makes `blobs/sha256` where it is missing.
    ///
    /// - Parameter isStaged: whether nobody sees the layout before ``flush()``.
    init(_ root: consuming OwnedDescriptor, isStaged: Bool = false) throws(SystemError) {
        isFlushing = !isStaged
        try root.ensureDirectory("blobs")
        let blobs = try root.open("blobs", [.readOnly, .directory])
        try blobs.ensureDirectory("sha256")
        self.blobs = try blobs.open("sha256", [.readOnly, .directory])
        if !isStaged { try blobs.sync() }
        self.root = root
    }

    /// Makes all of a staged layout durable, in few waits for the disk: whatever is written before the first is done with it.
    func flush() throws(SystemError) {
        let directories = [
            SharedDescriptor(try root.open("blobs/sha256", [.readOnly, .directory])),
            SharedDescriptor(try root.open(".", [.readOnly, .directory])),
        ]
        var files: [SharedDescriptor] = []
        for directory in directories {
            for entry in try directory.descriptor.names() where entry.kind != .directory {
                files.append(SharedDescriptor(try directory.descriptor.open(entry.name, [.readOnly, .noFollow])))
            }
        }
        for file in files { file.descriptor.beginWriting(0..<(try file.descriptor.status().size)) }
        for file in files { try file.descriptor.syncData() }
        try root.open("blobs", [.readOnly, .directory]).sync()
        for directory in directories { try directory.descriptor.sync() }
    }

    /// A blob that was stored.
    struct Addition {
        var descriptor: Descriptor
        /// Whether the layout's file is the one that was written, and read back; else there was one already.
        var isReadBack: Bool
        /// What it decompresses to, where that was asked for.
        var content: ReadBack.Content?
    }

    /// Stores what `fill` writes, under its digest. What is there already stays.
    func addBlob(_ mediaType: MediaType, _ fill: (BackgroundFile) throws -> Void) throws -> Descriptor {
        try addBlob(mediaType, readingBack: nil, fill).descriptor
    }

    /// The same; what is written is read back while it is.
    func addBlob(
        _ mediaType: MediaType, readingBack depth: ReadBack.Depth?, _ fill: (BackgroundFile) throws -> Void
    ) throws -> Addition {
        let file = try StagedFile(in: blobs, for: "blob")
        let background = try BackgroundFile(file, readingBack: depth)
        try fill(background)
        let (digest, content) = try background.verify { "blobs/sha256/\($0.hexadecimal)" }
        let (descriptor, isNew) = try publish(file, mediaType, digest)
        return Addition(descriptor: descriptor, isReadBack: depth != nil && isNew, content: content)
    }

    private func publish(
        _ file: StagedFile, _ mediaType: MediaType, _ digest: Digest
    ) throws -> (Descriptor, isNew: Bool) {
        let isNew = try file.publishIfAbsent(as: ByteString(digest.hexadecimal), flushing: isFlushing)
        return (Descriptor(mediaType: mediaType, digest: digest, size: Int64(clamping: file.size)), isNew)
    }

    /// Stores a layer of the cache.
    ///
    /// - Returns: whether its content is known without reading it.
    func addBlob(_ found: LayerCache.Found, from cache: LayerCache) throws(SystemError) -> Bool {
        do {
            let isSameInode = try cache.put(found, as: ByteString(found.layer.digest.hexadecimal), in: blobs)
            if isFlushing { try blobs.sync() }
            return isSameInode
        } catch  where error.errno == .fileExists {
            return false
        }
    }

    /// Lets `cache` keep a layer that was stored.
    func keep(_ layer: CachedLayer, key: Digest, in cache: LayerCache) {
        cache.keep(layer, key: key, from: blobs, ByteString(layer.digest.hexadecimal))
    }

    func addDocument(_ mediaType: MediaType, _ bytes: [UInt8]) throws -> Descriptor {
        let file = try StagedFile(in: blobs, for: "blob")
        try file.write(bytes)
        return try publish(file, mediaType, file.digest).0
    }

    /// Names the image `manifest` in the index: as each of `names`, or without a name.
    ///
    /// - Parameters:
    ///   - referenceName: what tools of the layout call the image; nil for the tag of the name.
    ///   - platform: nil of an index.
    func addToIndex(
        _ manifest: Descriptor, names: [Reference], referenceName: String?, platform: Platform?
    ) throws {
        let files = try LayoutFiles(root.open(".", [.readOnly, .directory]))
        var index = ImageIndex()
        if let bytes = try files.document("index.json") {
            index = try parsing("index.json") { () throws(OCIError) in try ImageIndex(parsing: bytes) }
        }
        var entry = manifest
        entry.platform = platform
        if names.isEmpty {
            if let referenceName { entry.annotations[AnnotationKey.referenceName] = referenceName }
            index.replace(entry)
        }
        for name in names {
            var full = name
            // The name is for what is written now, whatever digest it once had.
            full.digest = nil
            full = full.qualified
            entry.annotations = [
                // By convention the tag. A name without one keeps images of one layout apart better than `latest` would.
                AnnotationKey.referenceName: referenceName ?? name.tag ?? name.repository,
                AnnotationKey.containerdImageName: full.description,
            ]
            index.replace(entry)
        }
        let images = try DockerManifest.images(of: index, in: files)
        try writeFile("manifest.json", DockerArchiveImage.canonicalBytes(of: images))
        if try files.document("oci-layout") == nil {
            try writeFile("oci-layout", ImageLayoutHeader().canonicalBytes)
        }
        // Last: with it the image is there.
        try writeFile("index.json", index.canonicalBytes)
    }

    private func writeFile(_ name: ByteString, _ bytes: [UInt8]) throws {
        let file = try StagedFile(in: root, for: name)
        try file.write(bytes)
        try file.publish(as: name, replacing: true, flushing: isFlushing)
    }
}

/// The `manifest.json` by which `docker load` takes an image layout, derived from the layout's index.
enum DockerManifest {
    /// The images of `index` that have a full name and that Docker can load.
    static func images(of index: ImageIndex, in files: some ImageFiles) throws -> [DockerArchiveImage] {
        var images: [DockerArchiveImage] = []
        for entry in index.manifests where entry.mediaType.isManifest {
            guard case .sha256(let digest) = entry.digest,
                let bytes = try files.document(files.blobName(digest)), let manifest = try? Manifest(parsing: bytes),
                let config = try? manifest.config.sha256(),
                manifest.config.mediaType.isConfiguration
            else { continue }
            // Not zstd: media-types.md knows no Docker equivalent.
            let loadable: [MediaType] = [.layerTar, .layerTarGzip, .dockerLayerTar, .dockerLayerTarGzip]
            let layers = manifest.layers.compactMap { layer in
                loadable.contains(layer.mediaType) ? try? files.blobName(layer.sha256()) : nil
            }
            guard layers.count == manifest.layers.count else { continue }
            let tags = entry.annotations[AnnotationKey.containerdImageName].map { [familiar($0)] } ?? []
            if let same = images.firstIndex(where: { $0.config == files.blobName(config) && $0.layers == layers }) {
                images[same].repositoryTags += tags
            } else {
                images.append(DockerArchiveImage(config: files.blobName(config), repositoryTags: tags, layers: layers))
            }
        }
        return images
    }

    /// The name as Docker shows it: without the registry and the repository that it fills in itself.
    private static func familiar(_ name: String) -> String {
        for prefix in ["docker.io/library/", "docker.io/"] where name.hasPrefix(prefix) {
            return String(name.dropFirst(prefix.count))
        }
        return name
    }
}
