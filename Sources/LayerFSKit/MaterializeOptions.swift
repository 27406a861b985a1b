/// How the files of a root come from the store.
public enum LinkMode: String, Hashable, Sendable, CaseIterable {
    /// A further name for the store's inode: costs no disk, but a write through it damages the store's content.
    case hard
    /// A file of its own that shares its blocks until one is written, on btrfs, xfs and the like.
    case reflink
    /// A file of its own.
    case copy
    /// Reflinks where the file system has them, else hard links.
    case auto
}

/// What materializing a tree came to.
public struct MaterializeSummary: Hashable, Sendable, Codable {
    public var directories = 0
    public var symlinks = 0
    public var linked = 0
    public var linkedBytes: UInt64 = 0
    public var reflinked = 0
    public var reflinkedBytes: UInt64 = 0
    public var copied = 0
    public var copiedBytes: UInt64 = 0
    /// Files of their own by nature: empty, setuid, setgid, or writable by others. Part of ``copied``.
    public var neverShared = 0
    /// Why files were copied that should have been links, and how many for each reason.
    public var fallbacks: [String: Int] = [:]
    /// Device nodes that were left out, since making them was not asked for, or needs root.
    public var skippedDevices = 0

    /// The counts of two parts of one tree together.
    static func + (left: MaterializeSummary, right: MaterializeSummary) -> MaterializeSummary {
        var sum = left
        sum.directories += right.directories
        sum.symlinks += right.symlinks
        sum.linked += right.linked
        sum.linkedBytes += right.linkedBytes
        sum.reflinked += right.reflinked
        sum.reflinkedBytes += right.reflinkedBytes
        sum.copied += right.copied
        sum.copiedBytes += right.copiedBytes
        sum.neverShared += right.neverShared
        sum.fallbacks.merge(right.fallbacks, uniquingKeysWith: +)
        sum.skippedDevices += right.skippedDevices
        return sum
    }
}
