public import Digests
public import OCI
public import Trees

/// An image to be written: what its layers hold and how it is run.
public struct ImageDescription: Sendable {
    /// The lowest first; at least one.
    public var layers: [Layer]
    public var platform: Platform
    public var execution: Execution
    /// When the image was made, in seconds since 1970; nil leaves it out. Part of the image's identity: the caller
    /// gives `SOURCE_DATE_EPOCH` or another time that does not change from one run to the next.
    public var created: Int64?
    public var author: String?
    /// Of the manifest; see ``AnnotationKey``.
    public var annotations: [String: String]
    /// Of an image that came from elsewhere and whose layers all give their original back: the documents that it came with.
    public var original: OriginalDocuments?

    public init(
        layers: [Layer], platform: Platform, execution: Execution = Execution(), created: Int64? = nil,
        author: String? = nil, annotations: [String: String] = [:]
    ) {
        self.layers = layers
        self.platform = platform
        self.execution = execution
        self.created = created
        self.author = author
        self.annotations = annotations
    }

    /// One layer: what it puts on top of those below.
    public struct Layer: Sendable {
        /// In any order, each path once; the parents of every entry are here or in a layer below.
        public var entries: Tree.Entries
        /// What the history of the image says about the layer.
        public var createdBy: String
        /// Of a layer that came from elsewhere and is to be as it was.
        public var original: OriginalLayer?
        /// Gives the digest of the canonical tar of exactly these entries, where it was computed before: then what was compressed
        /// before is not read again.
        public var knownDiffID: (@Sendable () throws -> DiffID?)?
        /// Of a layer that whoever gets the image has already: it is named, but neither packed nor written.
        public var leftOut: LeftOut?

        public init(entries: some Sequence<Entry>, createdBy: String) {
            self.entries = Tree.Entries(entries)
            self.createdBy = createdBy
        }
    }

    /// What a layer is that is not written.
    public struct LeftOut: Hashable, Sendable {
        public var diffID: DiffID
        public var blob: Descriptor

        public init(diffID: DiffID, blob: Descriptor) { (self.diffID, self.blob) = (diffID, blob) }
    }
}
