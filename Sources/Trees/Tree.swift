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
        let entries = Entries(entries)
        let order = entries.order
        try self.init(order == .none ? entries.sorted : entries, in: order)
    }

    /// A tree of `entries`, which are sorted.
    ///
    /// - Parameter order: in which they were before.
    init(_ entries: Entries, in order: Entries.Order) throws(TreeError) {
        try entries.checkTree(mayRepeat: order != .ascending)
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
        if order != .none { return self }
        // Of two that have one path the first stays the first.
        let order = indices.sorted {
            let order = packed.compare($0, $1)
            return order == 0 ? $0 < $1 : order < 0
        }
        return Tree.Entries(packed.reordered(order))
    }

    /// In what order entries are.
    enum Order {
        /// That of their paths, each path once.
        case ascending
        /// That of their paths, of which some are there several times.
        case repeating
        case none
    }

    var order: Order {
        var order = Order.ascending
        for index in indices.dropFirst() {
            let compared = packed.compare(index - 1, index)
            if compared > 0 { return .none }
            if compared == 0 { order = .repeating }
        }
        return order
    }

    /// - Parameter mayRepeat: whether a path may be there several times.
    /// - Precondition: they are sorted.
    /// - Throws: ``TreeError`` when they are not the entries of a tree.
    func checkTree(mayRepeat: Bool) throws(TreeError) {
        var parents = ParentIndexes(self)
        for index in indices {
            if mayRepeat, index > startIndex, packed.compare(index - 1, index) == 0 {
                throw .duplicate(path(at: index))
            }
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
