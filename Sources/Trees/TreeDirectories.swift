/// The directories of a tree, parents first, each with what lies directly in it.
///
/// Entries are named by their positions in the tree, four bytes each.
public struct TreeDirectories: Sendable {
    /// The tree whose directories these are.
    public let tree: Tree
    private let directories: [UInt32]
    /// What lies in the directories, one after the other; that of each begins at ``starts``.
    private let children: [UInt32]
    private let starts: [UInt32]

    public init(_ tree: Tree) {
        self.tree = tree
        let entries = tree.entries
        // Which of the directories each entry lies in; those of the directories themselves are in their own order.
        var numbers = [UInt32](repeating: 0, count: entries.count)
        var parents = [UInt32](repeating: 0, count: entries.count)
        var directories: [UInt32] = []
        var above = ParentIndexes(entries)
        for index in entries.indices {
            if index > 1, entries.packed.haveSameDirectory(index - 1, index) {
                parents[index] = parents[index - 1]
            } else if let parent = above.parent(of: index) {
                parents[index] = numbers[parent]
            }
            guard entries.packed.kind(index) == .directory else { continue }
            numbers[index] = UInt32(directories.count)
            directories.append(UInt32(index))
        }
        var starts = [UInt32](repeating: 0, count: directories.count + 1)
        for parent in parents.dropFirst() { starts[Int(parent) + 1] += 1 }
        for number in directories.indices { starts[number + 1] += starts[number] }
        var ends = starts
        var children = [UInt32](repeating: 0, count: max(entries.count, 1) - 1)
        for index in entries.indices.dropFirst() {
            let parent = Int(parents[index])
            children[Int(ends[parent])] = UInt32(index)
            ends[parent] += 1
        }
        (self.directories, self.children, self.starts) = (directories, children, starts)
    }

    public var count: Int { directories.count }

    /// Which entry of the tree the directory `number` is.
    public func position(_ number: Int) -> Int { Int(directories[number]) }

    /// The entry of the directory `number`.
    public func entry(_ number: Int) -> Entry { tree.entries[position(number)] }

    /// Which entries of the tree lie directly in the directory `number`, in their order.
    public func children(_ number: Int) -> some RandomAccessCollection<Int> & Sendable {
        children[Int(starts[number])..<Int(starts[number + 1])].lazy.map { Int($0) }
    }

    /// How many entries lie directly in the directory `number`.
    public func childCount(_ number: Int) -> Int { Int(starts[number + 1] - starts[number]) }
}
