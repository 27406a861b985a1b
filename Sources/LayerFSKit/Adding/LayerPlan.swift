import Bytes
import LayerStore
public import Loader
public import Trees

/// What a layer is to hold, before anything is read or stored: the entries that closures, files, directories, packages,
/// presets and traces want, which one tree is made of.
public struct LayerPlan: Sendable {
    /// In the order in which they were asked for. Several may have one path: then they must agree.
    var entries = PlanEntries()
    /// Whether everything keeps its own time, and no links of a merged /usr are added.
    var isExact = false
    /// The closures among it. The layer's platform is theirs.
    public internal(set) var closures: [Closure] = []
    /// The programs that a person named.
    var requests: [Provenance.Request] = []
    /// Directories that were asked for with all in them.
    var directories: [Provenance.Directory] = []
    /// Why one file brought in another.
    var edges: [Provenance.Edge] = []
    /// The presets among it.
    var presets: [String] = []
    /// What a person should know although nothing is wrong.
    public internal(set) var notes: [String] = []
    /// What was left out.
    public internal(set) var warnings: [String] = []

    init() {}

    /// Puts all of `other` into this plan.
    mutating func unite(_ other: LayerPlan) {
        entries += other.entries
        isExact = isExact || other.isExact
        closures += other.closures
        requests += other.requests
        directories += other.directories
        edges += other.edges
        presets += other.presets
        notes += other.notes
        warnings += other.warnings
    }
}

/// A layer to be made: its name, and what it is to hold.
public struct LayerRequest: Sendable {
    public var name: Name
    public var plan: LayerPlan
    /// The command that the record shows as the layer's source: `layerfs add bash`.
    public var source: String

    public init(name: Name, plan: LayerPlan, source: String) {
        (self.name, self.plan, self.source) = (name, plan, source)
    }
}
