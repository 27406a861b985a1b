public import Bytes

/// What a layer adds to those below it, and what it removes from them (image-spec, layer.md, Applying Changesets).
public struct Changeset: Sendable {
    /// What it adds, by path, without whiteouts.
    public private(set) var entries: [TreePath: Entry] = [:]
    /// Paths that go, with all below them.
    public private(set) var removed: Set<TreePath> = []
    /// Directories of which all goes that is in them.
    public private(set) var opaque: Set<TreePath> = []

    public init() {}

    /// What the layer `tree` says with its entries and whiteouts.
    public init(_ tree: Tree) {
        entries.reserveCapacity(tree.entries.count)
        for entry in tree.entries {
            if entry.isOpaqueMarker {
                makeOpaque(entry.path.parent)
            } else if entry.kind == .whiteout {
                remove(entry.path)
            } else {
                add(entry)
            }
        }
    }

    /// How much it says.
    public var count: Int { entries.count + removed.count + opaque.count }

    /// Adds an entry that is no whiteout, in the place of any that has its path.
    public mutating func add(_ entry: Entry) { entries[entry.path] = entry }

    public mutating func remove(_ path: TreePath) { removed.insert(path) }

    public mutating func makeOpaque(_ directory: TreePath) { opaque.insert(directory) }

    /// Takes back all that was said of paths below `path`.
    public mutating func forget(below path: TreePath) {
        func isBelow(_ other: TreePath) -> Bool { other != path && other.isWithin(path) }
        entries = entries.filter { !isBelow($0.key) }
        removed = removed.filter { !isBelow($0) }
        opaque = opaque.filter { !$0.isWithin(path) }
    }

    /// Whether a path of the layers below is still there: neither it nor a directory it is in is removed or replaced.
    public func shows(_ path: TreePath) -> Bool {
        if removed.contains(path) { return false }
        var ancestor = path
        while !ancestor.isRoot {
            ancestor = ancestor.parent
            if removed.contains(ancestor) || opaque.contains(ancestor) { return false }
            if let entry = entries[ancestor], !entry.isDirectory { return false }
        }
        return true
    }

    /// Removes from `lower` all that it does not show. The time depends on what is removed, not on what is there.
    ///
    /// - Parameters:
    ///   - isDirectory: whether a value of `lower` is that of a directory.
    ///   - body: called with each path that goes, directories before what is in them.
    /// - Returns: how many paths were looked at.
    @discardableResult
    public func hide<Value>(
        in lower: inout PathMap<Value>, isDirectory: (Value) -> Bool, _ body: (TreePath) -> Void = { _ in }
    ) -> Int {
        var tops = removed.filter { !$0.isRoot && lower[$0] != nil }
        for directory in opaque { tops.formUnion(lower.children(of: directory)) }
        for entry in entries.values where !entry.isDirectory {
            guard let below = lower[entry.path], isDirectory(below) else { continue }
            tops.formUnion(lower.children(of: entry.path))
        }
        var count = 0
        // Of two of which one lies in the other the upper one takes both.
        for path in tops.sorted() where lower[path] != nil { count += lower.remove(path, body) }
        return count
    }
}
