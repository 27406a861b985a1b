public import OCI

/// What is written under one name: an image, or an index of images.
public enum ExportContent: Sendable {
    case image(ImageDescription)
    /// One image for each platform (image-spec, image-index.md), in the order in which they are looked at.
    case index([ImageDescription], annotations: [String: String])

    public var images: [ImageDescription] {
        switch self {
        case .image(let image): [image]
        case .index(let images, _): images
        }
    }

    /// Of a single image.
    var platform: Platform? { if case .image(let image) = self { image.platform } else { nil } }
}

/// What was written, as it was read back.
public struct WrittenContent: Sendable {
    /// Of the manifest, or of the index.
    public var descriptor: Descriptor
    public var images: [VerifiedImage]
}

extension ImageExporter {
    /// The documents that were written: that of each image, and the one that stands for all.
    struct Manifests {
        var images: [Descriptor]
        var top: Descriptor
        /// What is known of the layers of all.
        var layers: WrittenLayers

        /// The same, where all was copied into an archive.
        var inCopies: Manifests {
            Manifests(images: images, top: top, layers: layers.inCopies)
        }
    }

    func assemble(_ content: ExportContent, into layout: LayoutWriter) throws -> Manifests {
        var layers = WrittenLayers()
        var manifests: [Descriptor] = []
        for image in content.images { manifests.append(try assemble(image, into: layout, &layers)) }
        guard case .index(let images, let annotations) = content else {
            guard let only = manifests.first else { throw TransportError.noLayers }
            return Manifests(images: manifests, top: only, layers: layers)
        }
        let entries = zip(manifests, images).map { manifest, image in
            var entry = manifest
            entry.platform = image.platform
            return entry
        }
        let index = ImageIndex(manifests: entries, annotations: annotations)
        return Manifests(
            images: manifests, top: try layout.addDocument(.imageIndex, index.canonicalBytes), layers: layers)
    }

    func verify(
        _ manifests: Manifests, of content: ExportContent, in files: some ImageFiles
    ) throws -> WrittenContent {
        var written: [VerifiedImage] = []
        for (number, manifest) in manifests.images.enumerated() {
            let found = try ImageVerifier.verify(manifest, in: files, knowing: manifests.layers)
            try check?(number, found)
            written.append(found)
        }
        if case .index = content {
            let (name, bytes) = try ImageVerifier.document(manifests.top, in: files)
            _ = try parsing(name) { () throws(OCIError) in try ImageIndex(parsing: bytes) }
        }
        return WrittenContent(descriptor: manifests.top, images: written)
    }
}
