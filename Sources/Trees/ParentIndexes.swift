import Bytes

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
        // What lies in a directory comes right behind it mostly.
        let found =
            entries.packed.isPath(of: index - 1, directoryOf: index) ? index - 1 : entries.parentIndex(of: index)
        if let found { known[directory] = found + 1 }
        return found
    }
}
