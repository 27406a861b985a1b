/// An image: its configuration and its layers, the lowest first (image-spec, manifest.md).
public struct Manifest: Hashable, Sendable {
    /// Nil where the document does not say; its descriptor does.
    public var mediaType: MediaType?
    public var artifactType: MediaType?
    public var config: Descriptor
    public var layers: [Descriptor]
    public var subject: Descriptor?
    public var annotations: [String: String]

    public init(config: Descriptor, layers: [Descriptor], annotations: [String: String] = [:]) {
        mediaType = .imageManifest
        self.config = config
        self.layers = layers
        self.annotations = annotations
    }

    /// - Throws: ``OCIError``; also for a document that could be read as an index as well.
    public init(parsing bytes: [UInt8]) throws(OCIError) {
        let field = JSONField(try JSONValue(parsing: bytes))
        try field.requireSchemaVersion2()
        try field.refuse("manifests", "fsLayers")
        let mediaType = try field.optional("mediaType")
        self.mediaType = try mediaType?.mediaType()
        if let mediaType, self.mediaType?.isManifest == false { throw mediaType.invalid("that of an image manifest") }
        artifactType = try field.optional("artifactType")?.mediaType()
        config = try field.required("config").descriptor()
        let layers = try field.required("layers")
        self.layers = try layers.descriptors()
        guard !self.layers.isEmpty else { throw layers.invalid("a list of at least one layer") }
        subject = try field.optional("subject")?.descriptor()
        annotations = try field.optional("annotations")?.stringMap() ?? [:]
    }

    /// The document, always the same bytes for the same value.
    public var canonicalBytes: [UInt8] {
        JSONValue.object([
            "schemaVersion": .integer(2), "mediaType": mediaType.map { .string($0.text) },
            "artifactType": artifactType.map { .string($0.text) }, "config": config.json,
            "layers": .array(layers.map(\.json)), "subject": subject?.json,
            "annotations": annotations.isEmpty ? nil : .strings(annotations),
        ]).canonicalBytes
    }
}
