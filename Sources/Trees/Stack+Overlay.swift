import Bytes

extension Stack {
    /// Lays `layer` over the stack as a container engine does (image-spec, layer.md, Applying Changesets).
    mutating func overlay(_ layer: Composition.Layer) -> Change {
        let changeset = Changeset(layer.tree)
        var hidden: [TreePath] = []
        changeset.hide(in: &slots, isDirectory: \.entry.isDirectory) { hidden.append($0) }
        // Of a directory that goes only the topmost path needs a whiteout; what takes its place itself hides what was in it.
        let whiteouts = hidden.filter { path in
            guard changeset.entries[path] == nil else { return false }
            return changeset.entries[path.parent]?.isDirectory ?? (slots[path.parent] != nil)
        }
        var changed: Set<TreePath> = []
        for entry in changeset.entries.values where slots[entry.path]?.entry != entry {
            slots.set(entry.path, Slot(entry: entry, layer: layer.name, origin: entry.path))
            changed.insert(entry.path)
        }
        let entries = whiteouts.map { Entry(path: $0, metadata: Metadata(mode: 0), kind: .whiteout) }
        return Change(changed: closed(changed, and: entries), kept: closed(Set(changeset.entries.keys), and: entries))
    }
}
