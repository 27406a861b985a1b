public import Digests

/// How an image is run and what its layers are (image-spec, config.md).
public struct ImageConfiguration: Hashable, Sendable {
    /// RFC 3339, see ``RFC3339``; left out rather than empty.
    public var created: String?
    public var author: String?
    public var platform: Platform
    public var execution: Execution
    /// Digests of the uncompressed layers, the lowest first.
    public var diffIDs: [DiffID]
    public var history: [History]

    public init(
        created: String? = nil, author: String? = nil, platform: Platform, execution: Execution = Execution(),
        diffIDs: [DiffID], history: [History] = []
    ) {
        self.created = created
        self.author = author
        self.platform = platform
        self.execution = execution
        self.diffIDs = diffIDs
        self.history = history
    }

    /// Fields that layerfs does not know are allowed and not kept: an imported image keeps the bytes of its configuration.
    ///
    /// - Throws: ``OCIError``.
    public init(parsing bytes: [UInt8]) throws(OCIError) {
        let field = JSONField(try JSONValue(parsing: bytes))
        try field.refuse("manifests", "layers")
        created = try field.optional("created")?.time()
        author = try field.optional("author")?.string()
        platform = try Platform(field)
        execution = try field.optional("config").map { (field) throws(OCIError) in try Execution(field) } ?? Execution()
        let rootfs = try field.required("rootfs")
        let type = try rootfs.required("type")
        guard try type.string() == "layers" else { throw type.invalid("'layers'") }
        diffIDs = []
        for element in try rootfs.required("diff_ids").elements() {
            switch try element.digest() {
            case .sha256(let digest): diffIDs.append(DiffID(digest))
            case .other(let text): throw .unsupportedDigest(text)
            }
        }
        history = []
        for element in try field.optional("history")?.elements() ?? [] { history.append(try History(element)) }
    }

    /// The document, always the same bytes for the same value. Its digest is the image's ID.
    public var canonicalBytes: [UInt8] {
        guard case .object(let platform) = platform.json else { return [] }
        let own = JSONValue.object([
            "created": created.map { .string($0) }, "author": author.map { .string($0) },
            "config": execution.isEmpty ? nil : execution.json,
            "rootfs": .object(["type": .string("layers"), "diff_ids": .strings(diffIDs.map(\.description))]),
            "history": history.isEmpty ? nil : .array(history.map(\.json)),
        ])
        guard case .object(let members) = own else { return [] }
        return JSONValue.object(members + platform).canonicalBytes
    }

    /// Where a layer comes from, or what else was done to the image.
    public struct History: Hashable, Sendable {
        public var created: String?
        public var author: String?
        /// The command or program that made the layer.
        public var createdBy: String?
        public var comment: String?
        /// Whether this step made no layer.
        public var isEmptyLayer: Bool

        public init(created: String? = nil, createdBy: String?, comment: String? = nil, isEmptyLayer: Bool = false) {
            self.created = created
            self.createdBy = createdBy
            self.comment = comment
            self.isEmptyLayer = isEmptyLayer
        }

        init(_ field: JSONField) throws(OCIError) {
            created = try field.optional("created")?.time()
            author = try field.optional("author")?.string()
            createdBy = try field.optional("created_by")?.string()
            comment = try field.optional("comment")?.string()
            isEmptyLayer = try field.optional("empty_layer")?.bool() ?? false
        }

        var json: JSONValue {
            .object([
                "created": created.map { .string($0) }, "author": author.map { .string($0) },
                "created_by": createdBy.map { .string($0) }, "comment": comment.map { .string($0) },
                "empty_layer": isEmptyLayer ? .bool(true) : nil,
            ])
        }
    }
}

extension JSONField {
    func time() throws(OCIError) -> String {
        let text = try string()
        guard RFC3339.isValid(text) else { throw invalid("a time (RFC 3339)") }
        return text
    }
}
