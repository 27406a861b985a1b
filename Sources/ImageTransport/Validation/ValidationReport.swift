/// What a check of an image layout or archive found.
public struct ValidationReport: Hashable, Sendable, Codable {
    /// An image whose manifest and configuration could be read.
    public struct Image: Hashable, Sendable, Codable {
        /// Its name in the index, or all of them in a Docker archive; empty without.
        public var names: [String]
        /// Of the manifest; nil in a Docker archive, which has none.
        public var digest: String?
        /// `linux/amd64`; nil for an artifact.
        public var platform: String?
        public var layers: [Layer]
    }

    /// A layer, as it was computed from its bytes.
    public struct Layer: Hashable, Sendable, Codable {
        public var digest: String
        public var size: UInt64
        /// Uncompressed, in bytes; nil for a blob that is no layer.
        public var contentSize: UInt64?
        public var diffID: String?
        /// Of this layer and all below it; nil when one of them is damaged.
        public var chainID: String?
    }

    /// `image layout`, `Docker archive`.
    public internal(set) var kinds: [String] = []
    public internal(set) var images: [Image] = []
    /// How many files were read, and their bytes.
    public internal(set) var files = 0
    public internal(set) var bytes: UInt64 = 0
    /// Blobs that no document names: allowed, and read as well.
    public internal(set) var unreferenced = 0
    /// In the order in which they were found.
    public internal(set) var problems: [ImageProblem] = []

    public var isSound: Bool { problems.isEmpty }
}
