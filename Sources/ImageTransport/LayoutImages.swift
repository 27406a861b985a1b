import Digests
import OCI

/// The images of an image layout: those that its index names, and the indexes in it.
struct LayoutImages {
    let files: any ImageFiles

    /// How deep an index may name further indexes, and how many documents may be read on the way: a small layout can name one
    /// index a thousand times over.
    static let depthLimit = 8
    private static let documentLimit = 500

    /// An image that an index names.
    private struct Candidate {
        var descriptor: Descriptor
        var name: String?
        /// As the index says; nil where it does not.
        var platform: Platform?
    }

    func images(named name: String?, _ choice: ImageSource.PlatformChoice) throws -> [SourceImage] {
        let header = try ImageVerifier.required("oci-layout", in: files)
        _ = try parsing("oci-layout") { () throws(OCIError) in try ImageLayoutHeader(parsing: header) }
        let bytes = try ImageVerifier.required("index.json", in: files)
        let index = try parsing("index.json") { () throws(OCIError) in try ImageIndex(parsing: bytes) }
        let named = index.manifests.filter { entry in name.map { Self.matches(entry, $0) } ?? true }
        // One image may have several names.
        if let name, named.isEmpty { throw TransportError.noSuchImage(name) }
        guard Set(named.map(\.digest)).count == 1, let entry = named.first else {
            throw TransportError.severalImages(Self.names(of: index))
        }
        var documents = 0
        let candidates = try expand(entry, name: name ?? Self.name(of: entry), depth: 1, &documents)
        return try choose(candidates, choice)
    }

    private static func name(of entry: Descriptor) -> String? {
        entry.annotations[AnnotationKey.containerdImageName] ?? entry.annotations[AnnotationKey.referenceName]
    }

    /// What tells the entries of `index` apart: tags, or full names where these are the same.
    private static func names(of index: ImageIndex) -> [String] {
        let tags = index.manifests.map { $0.annotations[AnnotationKey.referenceName] ?? $0.digest.description }
        return Set(tags).count == tags.count ? tags : index.manifests.map { name(of: $0) ?? $0.digest.description }
    }

    private static func matches(_ entry: Descriptor, _ name: String) -> Bool {
        if entry.annotations[AnnotationKey.referenceName] == name || entry.digest.description == name { return true }
        guard let full = entry.annotations[AnnotationKey.containerdImageName] else { return false }
        return full == name || (try? Reference(parsing: name))?.qualified.description == full
    }

    /// The images that `entry` leads to.
    private func expand(
        _ entry: Descriptor, name: String?, depth: Int, _ documents: inout Int
    ) throws -> [Candidate] {
        if entry.mediaType.isManifest {
            return [Candidate(descriptor: entry, name: name, platform: entry.platform)]
        }
        documents += 1
        guard entry.mediaType.isIndex, depth < Self.depthLimit, documents < Self.documentLimit else {
            throw TransportError.unsupportedMediaType(entry.mediaType)
        }
        let (file, bytes) = try ImageVerifier.document(entry, in: files)
        let index = try parsing(file) { () throws(OCIError) in try ImageIndex(parsing: bytes) }
        try Self.check(index.mediaType, entry, file)
        // BuildKit puts attestations, which are no images, beside images, for the platform `unknown`.
        return try index.manifests.filter { $0.platform?.os != "unknown" }.flatMap {
            try expand($0, name: name, depth: depth + 1, &documents)
        }
    }

    fileprivate static func check(_ type: MediaType?, _ descriptor: Descriptor, _ file: String) throws(TransportError) {
        guard let type, type != descriptor.mediaType else { return }
        throw .mediaTypeMismatch(name: file, expected: descriptor.mediaType, actual: type)
    }

    private func choose(
        _ candidates: [Candidate], _ choice: ImageSource.PlatformChoice
    ) throws -> [SourceImage] {
        if candidates.count == 1 || choice == .all {
            let images = try candidates.map { try image($0) }
            guard case .only(let wanted) = choice, !wanted.accepts(images[0].platform) else { return images }
            throw TransportError.noSuchPlatform(wanted.description, available: [images[0].platform.description])
        }
        let wanted: Platform =
            switch choice {
            case .preferred(let platform), .only(let platform): platform
            case .all: Platform(architecture: "")
            }
        var available: [String] = []
        for candidate in candidates {
            // The first that fits is the one (image-index.md).
            let platform = try candidate.platform ?? image(candidate).platform
            if wanted.accepts(platform) { return [try image(candidate)] }
            available.append(platform.description)
        }
        throw TransportError.noSuchPlatform(wanted.description, available: available)
    }

    private func image(_ candidate: Candidate) throws -> SourceImage {
        try SourceImage.read(candidate.descriptor, named: candidate.name, in: files).image
    }
}

extension SourceImage {
    /// The image whose manifest `descriptor` names: its documents verified, its layers still to be read.
    static func read(
        _ descriptor: Descriptor, named name: String?, in files: any ImageFiles
    ) throws -> (image: SourceImage, manifest: Manifest) {
        let (file, bytes) = try ImageVerifier.document(descriptor, in: files)
        let manifest = try parsing(file) { () throws(OCIError) in try Manifest(parsing: bytes) }
        try LayoutImages.check(manifest.mediaType, descriptor, file)
        let configType = manifest.config.mediaType
        guard configType.isConfiguration else {
            throw TransportError.unsupportedMediaType(configType)
        }
        let (configFile, configBytes) = try ImageVerifier.document(manifest.config, in: files)
        let configuration = try parsing(configFile) { () throws(OCIError) in
            try ImageConfiguration(parsing: configBytes)
        }
        try check(layers: manifest.layers.count, configuration)
        let layers = try manifest.layers.map { layer in
            guard layer.mediaType.isLayer else { throw TransportError.unsupportedMediaType(layer.mediaType) }
            return LayerPlace(file: try files.blobName(layer.sha256()), descriptor: layer)
        }
        let image = SourceImage(
            name: name, descriptor: descriptor, manifestBytes: bytes, manifest: manifest, configuration: configuration,
            configurationBytes: configBytes, layers: layers, files: files)
        return (image, manifest)
    }
}
