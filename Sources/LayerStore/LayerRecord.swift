public import Digests

/// A layer as the store keeps it: a small document that points to the tree and its provenance.
public struct LayerRecord: Hashable, Sendable, Codable {
    /// 2 where the tree is in parts, which programs that know none refuse.
    public var schemaVersion = 1
    /// When it was made: RFC 3339, UTC, whole seconds.
    public var created: String
    /// What made it: `layerfs add bash`.
    public var source: String
    /// What its programs run on, `linux/amd64`; nil when it holds none.
    public var platform: String?
    /// How many paths it has.
    public var entries: Int
    /// The bytes of its files, each path counted.
    public var size: UInt64
    /// The tree in composefs-dump form.
    public var tree: Digest
    /// The blobs that, decompressed one after the other, are the tree's dump; nil where that is a blob itself.
    public var treeParts: [Digest]?
    /// The digest of the tree's canonical tar; with a skeleton, of the tar that it belongs to.
    public var diffID: DiffID
    /// The provenance document; nil when nothing is known.
    public var provenance: Digest?
    /// What a root with this layer needs an ld.so.cache for; nil when it needs none.
    public var cachedLibraries: [CachedLibrary]?
    /// Of a layer that came as a tar which is not the canonical one: its ``Skeleton``.
    public var skeleton: Digest?

    public init(
        created: String, source: String, platform: String?, entries: Int, size: UInt64, tree: Digest,
        treeParts: [Digest]? = nil,
        diffID: DiffID, provenance: Digest?, cachedLibraries: [CachedLibrary]? = nil, skeleton: Digest? = nil
    ) {
        schemaVersion = treeParts == nil ? 1 : 2
        self.created = created
        self.source = source
        self.platform = platform
        self.entries = entries
        self.size = size
        self.tree = tree
        self.treeParts = treeParts
        self.diffID = diffID
        self.provenance = provenance
        self.cachedLibraries = cachedLibraries
        self.skeleton = skeleton
    }

    /// The blobs that the tree is in.
    public var treeDocuments: [Digest] { treeParts ?? [tree] }
}
