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
    /// The same of the directories that lie in them.
    private let subdirectoryNumbers: [UInt32]
    private let subdirectoryStarts: [UInt32]

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
        self.directories = directories
        (children, starts) = Self.grouped(by: parents, of: directories.count)
        (subdirectoryNumbers, subdirectoryStarts) = Self.grouped(
            by: directories.map { parents[Int($0)] }, of: directories.count)
    }

    /// Numbers by the directory that `parents` says for each, one after the other, and where those of each directory begin. The first, the
    /// root, is in none.
    private static func grouped(by parents: [UInt32], of count: Int) -> (numbers: [UInt32], starts: [UInt32]) {
        var starts = [UInt32](repeating: 0, count: count + 1)
        for parent in parents.dropFirst() { starts[Int(parent) + 1] += 1 }
        for number in 0..<count { starts[number + 1] += starts[number] }
        var ends = starts
        var numbers = [UInt32](repeating: 0, count: max(parents.count, 1) - 1)
        for number in parents.indices.dropFirst() {
            let parent = Int(parents[number])
            numbers[Int(ends[parent])] = UInt32(number)
            ends[parent] += 1
        }
        return (numbers, starts)
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

    /// The directories that lie directly in the directory `number`, in their order.
    public func subdirectories(_ number: Int) -> some RandomAccessCollection<Int> & Sendable {
        subdirectoryNumbers[Int(subdirectoryStarts[number])..<Int(subdirectoryStarts[number + 1])].lazy.map { Int($0) }
    }

    /// How many entries lie directly in the directory `number`.
    public func childCount(_ number: Int) -> Int { Int(starts[number + 1] - starts[number]) }
}
