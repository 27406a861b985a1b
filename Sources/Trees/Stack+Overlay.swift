import Bytes

extension Stack {
    /// Lays `layer` over the stack as a container engine does (image-spec, layer.md, Applying Changesets).
    mutating func overlay(_ layer: Composition.Layer) -> Change {
        let changeset = Changeset(layer.tree)
        var whiteouts: [Entry] = []
        if changeset.hides(slots) {
            // Sorted, so that of a removed directory only the topmost path needs a whiteout.
            for path in slots.keys.sorted() where !path.isRoot && !changeset.shows(path) {
                slots[path] = nil
                let isInDirectory = slots[path.parent] != nil || changeset.entries[path.parent]?.isDirectory == true
                if isInDirectory, changeset.entries[path] == nil {
                    whiteouts.append(Entry(path: path, metadata: Metadata(mode: 0), kind: .whiteout))
                }
            }
        }
        var changed: Set<TreePath> = []
        for entry in changeset.entries.values where slots[entry.path]?.entry != entry {
            slots[entry.path] = Slot(entry: entry, layer: layer.name)
            changed.insert(entry.path)
        }
        return Change(
            changed: closed(changed, and: whiteouts), kept: closed(Set(changeset.entries.keys), and: whiteouts))
    }
}

/// What a layer adds and removes.
private struct Changeset {
    /// Without whiteouts.
    private(set) var entries: [TreePath: Entry] = [:]
    private var removed: Set<TreePath> = []
    private var opaque: Set<TreePath> = []

    init(_ tree: Tree) {
        entries.reserveCapacity(tree.entries.count)
        for entry in tree.entries {
            if entry.isOpaqueMarker {
                opaque.insert(entry.path.parent)
            } else if entry.kind == .whiteout {
                removed.insert(entry.path)
            } else {
                entries[entry.path] = entry
            }
        }
    }

    /// Whether any path of the layers below could be hidden.
    func hides(_ slots: [TreePath: Stack.Slot]) -> Bool {
        !removed.isEmpty || !opaque.isEmpty
            || entries.values.contains { !$0.isDirectory && slots[$0.path]?.entry.isDirectory == true }
    }

    /// Whether a path of the layers below is still there.
    func shows(_ path: TreePath) -> Bool {
        if removed.contains(path) { return false }
        var ancestor = path
        while !ancestor.isRoot {
            ancestor = ancestor.parent
            if removed.contains(ancestor) || opaque.contains(ancestor) { return false }
            if let entry = entries[ancestor], !entry.isDirectory { return false }
        }
        return true
    }
}
