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
    /// Of an image that came from elsewhere: what it takes to give the same image back.
    public var original: Original?
    /// Of a record that stands for an index of images: these, one for each platform. ``layers`` are all of theirs then.
    public var members: [ImageRecord]?
    /// Of the index.
    public var annotations: [String: String]?

    /// A record of an index. Programs that know no indexes refuse it.
    public init(
        indexing members: [ImageRecord], annotations: [String: String], created: String, expression: String
    ) {
        self.init(
            created: created, expression: expression, layers: members.flatMap(\.layers), onConflict: .overlay,
            entries: members.reduce(0) { $0 + $1.entries }, size: members.reduce(0) { $0 &+ $1.size },
            settings: ImageSettings())
        schemaVersion = 2
        self.members = members
        self.annotations = annotations.isEmpty ? nil : annotations
    }

    /// A layer of the image: its name when the image was composed, and the digest of its record.
    public struct Layer: Hashable, Sendable, Codable {
        public var name: String
        public var record: Digest
        /// Of a layer that came with an image: how that image settles conflicts among its own layers.
        public var group: Group?
        /// Of a layer of an imported image: as that image had it.
        public var blob: Blob?

        public init(name: String, record: Digest, group: Group? = nil, blob: Blob? = nil) {
            (self.name, self.record, self.group, self.blob) = (name, record, group, blob)
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
        settings: ImageSettings, original: Original? = nil
    ) {
        self.created = created
        self.expression = expression
        self.layers = layers
        self.onConflict = onConflict
        self.entries = entries
        self.size = size
        self.settings = settings
        self.original = original
    }

    /// The documents of an image as it was before it was imported.
    public struct Original: Hashable, Sendable, Codable {
        /// The media type of the manifest.
        public var mediaType: String?
        /// The manifest's bytes, a blob of the store; nil when it had none, as in an archive of Docker's.
        public var manifest: Digest?
        /// The configuration's bytes, a blob of the store.
        public var configuration: Digest

        public init(mediaType: String?, manifest: Digest?, configuration: Digest) {
            (self.mediaType, self.manifest, self.configuration) = (mediaType, manifest, configuration)
        }

        fileprivate var blobs: [(digest: Digest, size: UInt64?)] {
            [manifest, configuration].compactMap { $0 }.map { ($0, nil) }
        }
    }

    /// A layer as an image had it before it was imported: compressed mostly.
    public struct Blob: Hashable, Sendable, Codable {
        public var mediaType: String
        public var digest: Digest
        public var size: UInt64
        /// How the same bytes are made of the layer's tar: `none`, `layerfs`, `zlib LEVEL HEADER`; nil when that is not known.
        public var encoding: String?
        /// Whether the bytes are kept, as a blob of the store; else absent.
        public var isKept: Bool?

        public init(mediaType: String, digest: Digest, size: UInt64, encoding: String?, isKept: Bool?) {
            (self.mediaType, self.digest, self.size) = (mediaType, digest, size)
            (self.encoding, self.isKept) = (encoding, isKept)
        }
    }

    /// The blobs of its original that the store keeps, with their sizes where they are known.
    var originalBlobs: [(digest: Digest, size: UInt64?)] {
        (original?.blobs ?? [])
            + layers.compactMap { layer in
                layer.blob.flatMap { $0.isKept == true ? ($0.digest, $0.size) : nil }
            } + (members ?? []).flatMap { $0.original?.blobs ?? [] }
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
