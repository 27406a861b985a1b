public import Bytes

/// The entries of a file tree, sorted bytewise by path: the value that every source makes and every output consumes.
///
/// A tree is closed under parents: the directory of every entry is an entry too, and the root itself is always the first.
public struct Tree: Hashable, Sendable {
    /// Sorted by path, each path once, `/` first.
    public let entries: Entries

    /// A tree of `entries`, in any order.
    ///
    /// - Throws: ``TreeError`` when a path occurs twice, lacks its parent, or its parent is not a directory.
    public init(_ entries: some Sequence<Entry>) throws(TreeError) {
        try self.init(sorted: Entries(entries).sorted)
    }

    /// A tree of `entries`, which are in the order of their paths.
    init(sorted entries: Entries) throws(TreeError) {
        try entries.checkTree()
        self.entries = entries
    }

    /// The tree that holds nothing but `/`, mode 0755.
    public static let empty = Tree(unchecked: [
        Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)
    ])

    /// - Precondition: `entries` is sorted, unique and closed under parents.
    init(unchecked entries: Entries) { self.entries = entries }

    /// The entry at `path`, found by binary search.
    public subscript(path: TreePath) -> Entry? { index(of: path).map { entries[$0] } }

    /// Which of ``entries`` has `path`, found by binary search; nil when none has.
    public func index(of path: TreePath) -> Int? { entries.index(sorted: path) }

    /// The bytes of all file contents, each path counted.
    public var size: UInt64 { entries.size }

    /// The same tree with other metadata of `/`.
    func withRoot(_ metadata: Metadata) -> Tree {
        var packed = entries.packed
        packed.setMetadata(entries.startIndex, metadata)
        return Tree(unchecked: Entries(packed))
    }
}

extension Tree.Entries {
    /// The same in the order of their paths; what is in order already, as what was read from a dump, is not sorted again.
    public var sorted: Tree.Entries {
        if isSorted { return self }
        // Of two that have one path the first stays the first.
        let order = indices.sorted {
            let order = packed.compare($0, $1)
            return order == 0 ? $0 < $1 : order < 0
        }
        return Tree.Entries(packed.reordered(order))
    }

    var isSorted: Bool { zip(indices, indices.dropFirst()).allSatisfy { packed.compare($0, $1) <= 0 } }

    /// - Precondition: they are sorted.
    /// - Throws: ``TreeError`` when they are not the entries of a tree.
    func checkTree() throws(TreeError) {
        var parents = ParentIndexes(self)
        for index in indices {
            if index > startIndex, packed.compare(index - 1, index) == 0 { throw .duplicate(path(at: index)) }
            if packed.withParts(index, { $0.isEmpty && $1.isEmpty }) {
                guard packed.kind(index) == .directory else { throw .rootNotDirectory }
                continue
            }
            // Neighbours have the same parent mostly. That of the root, which is the first, is not looked for.
            if index > startIndex + 1, packed.haveSameDirectory(index - 1, index) { continue }
            guard let parent = parents.parent(of: index), packed.kind(parent) == .directory else {
                throw .noParentDirectory(path(at: index))
            }
        }
        guard let first, first.path.isRoot else { throw .noParentDirectory(.root) }
    }

    /// Which of these entries, which are sorted, is the parent of the one at `index`; nil when none is, as of the root.
    func parentIndex(of index: Int) -> Int? {
        packed.withParts(index) { directory, name in
            if directory.isEmpty {
                return !name.isEmpty && startIndex < endIndex && path(at: startIndex).isRoot ? startIndex : nil
            }
            // The path of the parent in its two parts.
            let slash = directory.lastIndex(of: UInt8(ascii: "/")) ?? 0
            let (place, isThere) = lowerBound(
                UnsafeRawBufferPointer(rebasing: directory[..<slash]),
                UnsafeRawBufferPointer(rebasing: directory[(slash + 1)...]))
            return isThere ? place : nil
        }
    }

    /// Of each of these entries, which are those of a tree, how many directories lie directly in it.
    var subdirectoryCounts: [UInt32] {
        var counts = [UInt32](repeating: 0, count: count)
        var parents = ParentIndexes(self)
        for index in indices.dropFirst() where packed.kind(index) == .directory {
            if let parent = parents.parent(of: index) { counts[parent - startIndex] += 1 }
        }
        return counts
    }
}

/// The parents of entries that are sorted, asked for one after the other: each directory is looked for once.
struct ParentIndexes {
    private let entries: Tree.Entries
    /// Of each directory that entries lie in, one more than where it is; 0 where that was not looked for.
    private var known: [Int]

    init(_ entries: Tree.Entries) {
        self.entries = entries
        known = [Int](repeating: 0, count: entries.packed.directoryCount)
    }

    /// See ``Tree/Entries/parentIndex(of:)``.
    mutating func parent(of index: Int) -> Int? {
        // The root lies in itself, as far as the list of directories goes.
        guard index > entries.startIndex else { return entries.parentIndex(of: index) }
        let directory = Int(entries.packed.records[index].directory)
        if known[directory] > 0 { return known[directory] - 1 }
        let found = entries.parentIndex(of: index)
        if let found { known[directory] = found + 1 }
        return found
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
