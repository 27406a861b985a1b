/// What a check of a whole store found.
public struct IntegrityReport: Hashable, Sendable, Codable {
    /// Something that is not as it should be, and what it touches.
    public struct Damage: Hashable, Sendable, Codable {
        public var kind: Kind
        /// Where: a path below the store, of a further store an absolute one.
        public var place: String
        /// Of the content; nil for a reference and the index.
        public var digest: String?
        /// What is wrong.
        public var detail: String
        /// Layers, by name, that need it.
        public var layers: [String] = []
        /// Images, by name, that need it.
        public var images: [String] = []
        /// The files that have this content.
        public var paths: [Path] = []
        /// How it was repaired; nil when it was not.
        public var repair: String?
    }

    /// What is damaged.
    public enum Kind: String, Hashable, Sendable, Codable {
        /// A content or document that something names is not there.
        case missing
        /// A content or document has other bytes than its name says, or cannot be read.
        case damaged
        /// The inode of a content was given another mode or owner.
        case metadata
        /// A further inode of a content has other bytes or metadata than its name says.
        case node
        /// A document has its right digest, but is none that this program writes, or contradicts what it names.
        case record
        /// A name of a layer or image leads nowhere.
        case reference
        /// The index is not what contents and references say.
        case index
    }

    /// A file of a layer.
    public struct Path: Hashable, Sendable, Codable {
        public var layer: String
        public var path: String
    }

    public var damages: [Damage] = []
    /// Blobs that were read, and their bytes.
    public var blobs = 0
    public var bytes: UInt64 = 0
    /// Contents that further stores have, and that were read there.
    public var elsewhere = 0
    public var nodes = 0
    public var layers = 0
    public var images = 0
    /// Files in the store's directories that layerfs did not make.
    public var foreignFiles: [String] = []

    /// Whether there is nothing wrong, or nothing any more.
    public var isSound: Bool { damages.allSatisfy { $0.repair != nil } }
}
