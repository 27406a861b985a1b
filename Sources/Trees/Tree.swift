public import Bytes

/// The entries of a file tree, sorted bytewise by path: the value that every source makes and every output consumes.
///
/// A tree is closed under parents: the directory of every entry is an entry too, and the root itself is always the first.
public struct Tree: Hashable, Sendable {
    /// Sorted by path, each path once, `/` first.
    public let entries: [Entry]

    /// A tree of `entries`, in any order.
    ///
    /// - Throws: ``TreeError`` when a path occurs twice, lacks its parent, or its parent is not a directory.
    public init(_ entries: some Sequence<Entry>) throws(TreeError) {
        let sorted = Self.sorted(Array(entries))
        var directories: Set<TreePath> = []
        var previous: TreePath?
        // Neighbours have the same parent mostly.
        var parent: TreePath?
        for entry in sorted {
            if entry.path == previous { throw .duplicate(entry.path) }
            previous = entry.path
            if entry.path.isRoot {
                guard entry.isDirectory else { throw .rootNotDirectory }
            } else if parent.map({ !entry.path.isDirectly(in: $0) }) ?? true {
                parent = entry.path.parent
                guard directories.contains(entry.path.parent) else { throw .noParentDirectory(entry.path) }
            }
            if entry.isDirectory { directories.insert(entry.path) }
        }
        guard sorted.first?.path == .root else { throw .noParentDirectory(.root) }
        self.entries = sorted
    }

    /// `entries` in order; those that are already, as what was read from a dump, are not sorted again.
    private static func sorted(_ entries: [Entry]) -> [Entry] {
        let isSorted = zip(entries, entries.dropFirst()).allSatisfy { !($1.path < $0.path) }
        return isSorted ? entries : entries.sorted { $0.path < $1.path }
    }

    /// The tree that holds nothing but `/`, mode 0755.
    public static let empty = Tree(unchecked: [
        Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)
    ])

    /// - Precondition: `entries` is sorted, unique and closed under parents.
    init(unchecked entries: [Entry]) { self.entries = entries }

    /// The entry at `path`, found by binary search.
    public subscript(path: TreePath) -> Entry? {
        let index = lowerBound(path)
        return index < entries.count && entries[index].path == path ? entries[index] : nil
    }

    /// The bytes of all file contents, each path counted.
    public var size: UInt64 { entries.reduce(0) { $0 &+ $1.size } }

    private func lowerBound(_ path: TreePath) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Why entries do not form a tree.
public enum TreeError: Error, Hashable, CustomStringConvertible {
    case duplicate(TreePath)
    case noParentDirectory(TreePath)
    case rootNotDirectory

    public var description: String {
        switch self {
        case .duplicate(let path): "the path \(path) occurs twice in one tree"
        case .noParentDirectory(let path): "the path \(path) has no parent directory in its tree"
        case .rootNotDirectory: "the root of a tree is not a directory"
        }
    }
}
