import Bytes

/// Makes few layers of many, with the same union: what image formats and engines bound (overlayfs at about 500, Docker at 127).
public struct LayerMerge: Sendable {
    /// A run of neighbours that became one layer.
    public struct Group: Hashable, Sendable {
        /// Which of the layers it is made of.
        public var range: Range<Int>
        /// Sorted by path.
        public var entries: Tree.Entries
    }

    /// The layers, the lowest first.
    public private(set) var groups: [Group]

    /// Merges neighbours in `layers`, the lowest first, until at most `limit` are left: always the two that are smallest together,
    /// so that large layers stay as they are and are shared.
    ///
    /// - Precondition: `limit` is positive.
    public init(_ layers: [Tree.Entries], limit: Int) {
        precondition(limit > 0, "an image needs a layer")
        groups = layers.enumerated().map { Group(range: $0..<($0 + 1), entries: $1) }
        while groups.count > limit {
            let sizes = groups.map { Self.size($0.entries) }
            let pairs = zip(sizes, sizes.dropFirst()).map { $0 &+ $1 }
            let lower = pairs.indices.min { pairs[$0] < pairs[$1] } ?? 0
            let upper = groups.remove(at: lower + 1)
            groups[lower].entries = Self.merge(groups[lower].entries, upper.entries, isLowest: lower == 0)
            groups[lower].range = groups[lower].range.lowerBound..<upper.range.upperBound
        }
    }

    /// What the entries take as tar, roughly.
    private static func size(_ entries: Tree.Entries) -> UInt64 { entries.size &+ 512 &* UInt64(entries.count) }

    /// One layer that does what `lower` and then `upper` do.
    ///
    /// - Parameter isLowest: whether nothing lies below, so that there is nothing to remove.
    static func merge(_ lower: Tree.Entries, _ upper: Tree.Entries, isLowest: Bool) -> Tree.Entries {
        var entries: [TreePath: Entry] = [:]
        var whiteouts: [TreePath: Entry] = [:]
        for entry in lower {
            if entry.kind == .whiteout { whiteouts[entry.path] = entry } else { entries[entry.path] = entry }
        }
        let removed = Set(upper.lazy.filter { $0.kind == .whiteout }.map(\.path))
        if !removed.isEmpty {
            entries = entries.filter { !Self.isWithin($0.key, removed) }
            whiteouts = whiteouts.filter { !Self.isWithin($0.key, removed) }
        }
        var replaced: Set<TreePath> = []
        for entry in upper {
            guard entry.kind != .whiteout else {
                whiteouts[entry.path] = entry
                continue
            }
            if let old = entries[entry.path], old.isDirectory != entry.isDirectory {
                if old.isDirectory {
                    replaced.insert(entry.path)
                } else {
                    // What lay below the file that takes the directory's place must not come back with the new directory.
                    whiteouts[entry.path] = Entry(path: entry.path, metadata: Metadata(mode: 0), kind: .whiteout)
                }
            }
        }
        if !replaced.isEmpty { entries = entries.filter { !Self.isWithin($0.key, replaced) } }
        for entry in upper where entry.kind != .whiteout { entries[entry.path] = entry }
        // Of one path the whiteout comes first.
        var result = isLowest ? Tree.Entries() : Tree.Entries(whiteouts.values)
        result.append(contentsOf: entries.values)
        return result.sorted
    }

    /// Whether `path` or a directory it lies in is one of `paths`.
    private static func isWithin(_ path: TreePath, _ paths: Set<TreePath>) -> Bool {
        var place = path
        while true {
            if paths.contains(place) { return true }
            if place.isRoot { return false }
            place = place.parent
        }
    }
}
