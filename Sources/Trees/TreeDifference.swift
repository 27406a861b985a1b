public import Bytes

/// How one tree differs from another, path by path.
public struct TreeDifference: Hashable, Sendable {
    /// Paths that only the second has, sorted.
    public private(set) var added: [TreePath] = []
    /// Paths that only the first has, sorted.
    public private(set) var removed: [TreePath] = []
    /// Paths that both have, with another content, type, mode, owner or attributes; sorted.
    public private(set) var changed: [TreePath] = []
    /// Paths that differ in their time of modification only; sorted.
    public private(set) var retimed: [TreePath] = []

    public init(from old: Tree, to new: Tree) {
        var (i, j) = (0, 0)
        while i < old.entries.count || j < new.entries.count {
            if j == new.entries.count || i < old.entries.count && old.entries[i].path < new.entries[j].path {
                removed.append(old.entries[i].path)
                i += 1
            } else if i == old.entries.count || new.entries[j].path < old.entries[i].path {
                added.append(new.entries[j].path)
                j += 1
            } else {
                let (before, after) = (old.entries[i], new.entries[j])
                if before.kind != after.kind || !before.metadata.matches(after.metadata) {
                    changed.append(after.path)
                } else if before.metadata.modified != after.metadata.modified {
                    retimed.append(after.path)
                }
                (i, j) = (i + 1, j + 1)
            }
        }
    }

    public var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty && retimed.isEmpty }
}

extension TreeDifference: CustomStringConvertible {
    /// One line that counts, and names the first few.
    public var description: String {
        [
            ("changed", changed), ("added", added), ("removed", removed), ("with another time", retimed),
        ].filter { !$0.1.isEmpty }.map { word, paths in
            let named = paths.prefix(3).map(\.description).joined(separator: ", ")
            return "\(paths.count) \(word) (\(named)\(paths.count > 3 ? ", …" : ""))"
        }.joined(separator: ", ")
    }
}
