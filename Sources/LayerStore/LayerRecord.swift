public import Digests

/// A layer as the store keeps it: a small document that points to the tree and its provenance.
public struct LayerRecord: Hashable, Sendable, Codable {
    /// 2 where the tree is in parts, 3 where a time of it is kept apart; programs that know neither refuse them.
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
    /// The time for which there are marks in the parts, as ``DumpTime`` has them; nil where there are none.
    public var treeTime: String?
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
        treeParts: [Digest]? = nil, treeTime: String? = nil,
        diffID: DiffID, provenance: Digest?, cachedLibraries: [CachedLibrary]? = nil, skeleton: Digest? = nil
    ) {
        schemaVersion = treeParts == nil ? 1 : treeTime == nil ? 2 : 3
        self.created = created
        self.source = source
        self.platform = platform
        self.entries = entries
        self.size = size
        self.tree = tree
        self.treeParts = treeParts
        self.treeTime = treeTime
        self.diffID = diffID
        self.provenance = provenance
        self.cachedLibraries = cachedLibraries
        self.skeleton = skeleton
    }

    /// The blobs that the tree is in.
    public var treeDocuments: [Digest] { treeParts ?? [tree] }
}
