/// A list of images, of several platforms or names (image-spec, image-index.md); `index.json` of a layout is one.
public struct ImageIndex: Hashable, Sendable {
    /// Nil where the document does not say; its descriptor does.
    public var mediaType: MediaType?
    public var artifactType: MediaType?
    public var manifests: [Descriptor]
    public var subject: Descriptor?
    public var annotations: [String: String]
    /// Fields that layerfs does not know: whoever writes the document again keeps them.
    private var otherFields: [JSONValue.Member] = []

    public init(manifests: [Descriptor] = [], annotations: [String: String] = [:]) {
        mediaType = .imageIndex
        self.manifests = manifests
        self.annotations = annotations
    }

    /// - Throws: ``OCIError``; also for a document that could be read as a manifest as well.
    public init(parsing bytes: [UInt8]) throws(OCIError) {
        let field = JSONField(try JSONValue(parsing: bytes))
        try field.requireSchemaVersion2()
        try field.refuse("layers", "config", "fsLayers")
        let mediaType = try field.optional("mediaType")
        self.mediaType = try mediaType?.mediaType()
        if let mediaType, self.mediaType?.isIndex == false { throw mediaType.invalid("that of an image index") }
        artifactType = try field.optional("artifactType")?.mediaType()
        manifests = try field.required("manifests").descriptors()
        subject = try field.optional("subject")?.descriptor()
        annotations = try field.optional("annotations")?.stringMap() ?? [:]
        otherFields = try field.others(
            than: "schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations")
    }

    /// The document, always the same bytes for the same value.
    public var canonicalBytes: [UInt8] {
        JSONValue.object([
            "schemaVersion": .integer(2), "mediaType": mediaType.map { .string($0.text) },
            "artifactType": artifactType.map { .string($0.text) }, "manifests": .array(manifests.map(\.json)),
            "subject": subject?.json, "annotations": annotations.isEmpty ? nil : .strings(annotations),
        ]).adding(otherFields).canonicalBytes
    }

    /// Adds `manifest`, in the place of any with the same ``AnnotationKey/referenceName``; without a name, of any
    /// nameless one with the same digest.
    public mutating func replace(_ manifest: Descriptor) {
        let name = manifest.annotations[AnnotationKey.referenceName]
        manifests.removeAll { old in
            old.annotations[AnnotationKey.referenceName] == name && (name != nil || old.digest == manifest.digest)
        }
        manifests.append(manifest)
    }
}

/// Keys that image-spec, annotations.md, defines, and one that containerd does.
public enum AnnotationKey {
    /// The tag of an image in the `index.json` of a layout; nowhere else.
    public static let referenceName = "org.opencontainers.image.ref.name"
    /// The full name of an image in the `index.json` of a layout, as containerd and BuildKit read it.
    public static let containerdImageName = "io.containerd.image.name"
    public static let created = "org.opencontainers.image.created"
    public static let authors = "org.opencontainers.image.authors"
    public static let url = "org.opencontainers.image.url"
    public static let documentation = "org.opencontainers.image.documentation"
    public static let source = "org.opencontainers.image.source"
    public static let version = "org.opencontainers.image.version"
    public static let revision = "org.opencontainers.image.revision"
    public static let vendor = "org.opencontainers.image.vendor"
    public static let licenses = "org.opencontainers.image.licenses"
    public static let title = "org.opencontainers.image.title"
    public static let description = "org.opencontainers.image.description"
    public static let baseDigest = "org.opencontainers.image.base.digest"
    public static let baseName = "org.opencontainers.image.base.name"
}
