public import Digests
public import Trees

/// An image as the store keeps it: the layers it stacks, pinned by digest, and what a container made from it does.
public struct ImageRecord: Hashable, Sendable, Codable {
    public var schemaVersion = 1
    /// When it was made: RFC 3339, UTC, whole seconds.
    public var created: String
    /// The expression it was composed from: `bash+ls`.
    public var expression: String
    /// The lowest first.
    public var layers: [Layer]
    public var onConflict: ConflictPolicy
    /// How many paths the union of the layers has.
    public var entries: Int
    /// The bytes of the union's files, each path counted.
    public var size: UInt64
    public var settings: ImageSettings

    /// A layer of the image: its name when the image was composed, and the digest of its record.
    public struct Layer: Hashable, Sendable, Codable {
        public var name: String
        public var record: Digest
        /// Of a layer that came with an image: how that image settles conflicts among its own layers.
        public var group: Group?

        public init(name: String, record: Digest, group: Group? = nil) {
            (self.name, self.record, self.group) = (name, record, group)
        }
    }

    /// Layers next to each other that are stacked on their own before they are stacked with others.
    public struct Group: Hashable, Sendable, Codable {
        /// The same for all layers of the group, another for every other group.
        public var number: Int
        public var onConflict: ConflictPolicy

        public init(number: Int, onConflict: ConflictPolicy) { (self.number, self.onConflict) = (number, onConflict) }
    }

    public init(
        created: String, expression: String, layers: [Layer], onConflict: ConflictPolicy, entries: Int, size: UInt64,
        settings: ImageSettings
    ) {
        self.created = created
        self.expression = expression
        self.layers = layers
        self.onConflict = onConflict
        self.entries = entries
        self.size = size
        self.settings = settings
    }
}

/// The execution parameters of an image, as a person gives them (image-spec, config.md, `config`).
public struct ImageSettings: Hashable, Sendable, Codable {
    /// nil: the first program of the first layer.
    public var command: [String]?
    public var entrypoint: [String]?
    /// `NAME=VALUE`; PATH is added where it is not among them.
    public var environment: [String] = []
    public var workingDirectory: String?
    public var user: String?
    public var labels: [String: String] = [:]
    public var exposedPorts: [String] = []
    public var stopSignal: String?
    /// `linux/amd64`; nil: that of the programs.
    public var platform: String?

    public init() {}
}
