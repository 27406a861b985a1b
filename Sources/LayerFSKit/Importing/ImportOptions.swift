public import ImageTransport
public import LayerStore
public import Trees

/// How an import is made.
public struct ImportOptions: Sendable {
    /// Of the image or layer; nil takes the one that it has where it lies.
    public var name: Name?
    public var replacing = false
    /// How much a compressed layer may grow.
    public var limit = ExpansionLimit()
    /// Keep the compressed bytes of layers that layerfs cannot make again.
    public var keepsCompressed = false
    /// Layers of a layout that are not there, and that the store can give back, are made again; nil: all have to be there.
    public var leavingOut: KnownLayers.Findings?
    public var platforms = ImageSource.PlatformChoice.preferred(HostPlatform.platform)

    public init() {}
}

/// What became of an import.
public struct ImportSummary: Sendable {
    public var name: Name
    public var kind: NamedKind
    public var outcome: CommitOutcome
    public var platform: String?
    /// The digest of the manifest; nil when there was none.
    public var manifest: String?
    /// Of each layer, the lowest first.
    public var diffIDs: [String]
    /// Of what a container made from it sees.
    public var entries: Int
    public var size: UInt64
    public var cost: LayerCost
    /// How many layers can only be exported with other compressed bytes than they had.
    public var recompressed = 0
}
