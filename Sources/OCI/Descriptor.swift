public import Digests

/// Points to a blob: what it is, its digest and its size (image-spec, descriptor.md).
public struct Descriptor: Hashable, Sendable {
    public var mediaType: MediaType
    public var digest: DescriptorDigest
    /// In bytes.
    public var size: Int64
    /// Places to fetch the blob from. Never followed by layerfs: a foreign server could see who asks.
    public var urls: [String]
    public var annotations: [String: String]
    /// The content itself in base64, as it was written.
    public var data: String?
    public var artifactType: MediaType?
    /// For a manifest in an index: where it runs.
    public var platform: Platform?
    /// Fields that layerfs does not know, and those of the platform: whoever writes the document again keeps them.
    private var otherFields: [JSONValue.Member] = []
    private var otherPlatformFields: [JSONValue.Member] = []

    public init(
        mediaType: MediaType, digest: Digest, size: Int64, annotations: [String: String] = [:],
        platform: Platform? = nil
    ) {
        self.mediaType = mediaType
        self.digest = .sha256(digest)
        self.size = size
        urls = []
        self.annotations = annotations
        self.platform = platform
    }

    /// The descriptor of the document `bytes`.
    public init(mediaType: MediaType, of bytes: [UInt8]) {
        self.init(mediaType: mediaType, digest: Digest(hashing: bytes), size: Int64(bytes.count))
    }

    /// The digest, which has to be of the algorithm that layerfs computes.
    ///
    /// - Throws: ``OCIError/unsupportedDigest(_:)``.
    public func sha256() throws(OCIError) -> Digest {
        switch digest {
        case .sha256(let digest): return digest
        case .other(let text): throw .unsupportedDigest(text)
        }
    }

    /// - Throws: ``OCIError`` when a required field is missing or any field is not what descriptor.md says.
    public init(parsing bytes: [UInt8]) throws(OCIError) {
        try self.init(JSONField(JSONValue(parsing: bytes)))
    }

    init(_ field: JSONField) throws(OCIError) {
        mediaType = try field.required("mediaType").mediaType()
        digest = try field.required("digest").digest()
        let size = try field.required("size")
        self.size = try size.integer()
        guard self.size >= 0 else { throw size.invalid("a size") }
        urls = []
        for url in try field.optional("urls")?.elements() ?? [] {
            let text = try url.string()
            guard Self.isAbsoluteURI(text) else { throw url.invalid("a URI (RFC 3986)") }
            urls.append(text)
        }
        annotations = try field.optional("annotations")?.stringMap() ?? [:]
        artifactType = try field.optional("artifactType")?.mediaType()
        platform = try field.optional("platform").map { (field) throws(OCIError) in try Platform(field) }
        otherFields = try field.others(
            than: "mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform")
        otherPlatformFields =
            try field.optional("platform")?.others(
                than: "os", "architecture", "variant", "os.version", "os.features") ?? []
        if let field = try field.optional("data") {
            let text = try field.string()
            guard Self.isBase64(text) else { throw field.invalid("base64 (RFC 4648, section 4)") }
            data = text
        }
    }

    var json: JSONValue {
        .object([
            "mediaType": .string(mediaType.text), "digest": .string(digest.description), "size": .integer(size),
            "urls": urls.isEmpty ? nil : .strings(urls),
            "annotations": annotations.isEmpty ? nil : .strings(annotations),
            "data": data.map { .string($0) }, "artifactType": artifactType.map { .string($0.text) },
            "platform": platform?.json.adding(otherPlatformFields),
        ]).adding(otherFields)
    }

    private static func isAbsoluteURI(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon != text.startIndex else { return false }
        let scheme = text.utf8[..<colon]
        return ASCII.isAlphanumeric(scheme.first!)  // not empty
            && scheme.allSatisfy { ASCII.isAlphanumeric($0) || "+-.".utf8.contains($0) }
            && text.utf8.allSatisfy { (0x21..<0x7f).contains($0) && !"\"<>\\^`{|}".utf8.contains($0) }
    }

    private static func isBase64(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let padding = bytes.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        return bytes.count % 4 == 0 && padding <= 2
            && bytes.dropLast(padding).allSatisfy { ASCII.isAlphanumeric($0) || "+/".utf8.contains($0) }
    }
}

extension JSONField {
    func mediaType() throws(OCIError) -> MediaType {
        guard let type = try? MediaType(parsing: try string()) else { throw invalid("a media type (RFC 6838)") }
        return type
    }

    func digest() throws(OCIError) -> DescriptorDigest {
        guard let digest = try? DescriptorDigest(parsing: try string()) else { throw invalid("a digest") }
        return digest
    }

    func descriptor() throws(OCIError) -> Descriptor { try Descriptor(self) }

    func descriptors() throws(OCIError) -> [Descriptor] {
        var descriptors: [Descriptor] = []
        for element in try elements() { descriptors.append(try element.descriptor()) }
        return descriptors
    }
}
