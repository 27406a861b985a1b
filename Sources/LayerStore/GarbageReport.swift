/// What a collection removed, or would remove.
public struct GarbageReport: Hashable, Sendable, Codable {
    /// Files of one kind.
    public struct Removed: Hashable, Sendable, Codable {
        public var count = 0
        /// The sum of their sizes.
        public var bytes: UInt64 = 0
        /// Bytes of disk that the file system got back: those of files that had no further name outside the store.
        public var freed: UInt64 = 0
    }

    /// Whether nothing was removed, only counted.
    public var dryRun: Bool
    /// Contents and documents that nothing names.
    public var blobs = Removed()
    /// Further inodes of such contents.
    public var nodes = Removed()
    /// What commands that died left in the staging area.
    public var staging = Removed()
    /// What is cached of contents that are no longer there.
    public var cache = Removed()
    /// Files that nothing names, but that are younger than was asked for.
    public var young = 0
    /// Contents and documents that stay since a name reaches them.
    public var live = 0

    init(dryRun: Bool) { self.dryRun = dryRun }

    /// All kinds together.
    public var total: Removed {
        [blobs, nodes, staging, cache].reduce(into: Removed()) {
            $0.count += $1.count
            $0.bytes &+= $1.bytes
            $0.freed &+= $1.freed
        }
    }
}
