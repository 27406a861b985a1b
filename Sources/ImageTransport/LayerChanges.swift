import Bytes
import Trees

/// What the members of one layer so far add, and remove from the layers below.
struct LayerChanges {
    private(set) var changeset = Changeset()
    /// Directories that something was added to.
    private var parents: Set<TreePath> = []
    /// How often a directory of this layer gave way to something else.
    private var replacements = 0

    var added: [TreePath: Entry] { changeset.entries }
    var count: Int { changeset.count }

    /// Adds `entry`, in the place of any that the layer has there already: the last of several counts.
    ///
    /// - Returns: false when directories were replaced more often than an honest layer would.
    mutating func put(_ entry: Entry) -> Bool {
        if !entry.isDirectory, parents.contains(entry.path) {
            replacements += 1
            // Each looks at all that was added.
            guard replacements <= 1000 else { return false }
            changeset.forget(below: entry.path)
            parents = parents.filter { !$0.isWithin(entry.path) }
        }
        changeset.add(entry)
        note(entry.path)
        return true
    }

    /// Removes `path`, and all in it, from the layers below.
    mutating func remove(_ path: TreePath) {
        changeset.remove(path)
        note(path)
    }

    /// Removes all that the layers below have in `directory`.
    mutating func makeOpaque(_ directory: TreePath) {
        changeset.makeOpaque(directory)
        parents.insert(directory)
        note(directory)
    }

    private mutating func note(_ path: TreePath) {
        var parent = path.parent
        while parents.insert(parent).inserted, !parent.isRoot { parent = parent.parent }
    }

    /// The layer as entries that are closed under parents but for the root: what was added, whiteouts, and directories that are
    /// there for what is in them, as `lower` has them.
    func entries(below lower: [TreePath: Entry]) -> [TreePath: Entry] {
        var result = added
        for path in changeset.removed {
            switch added[path]?.isDirectory {
            case nil: result[path] = Entry(path: path, metadata: Metadata(mode: 0), kind: .whiteout)
            // The new directory has nothing of the old one.
            case true?: mark(path, in: &result)
            // Takes the old one's place anyway.
            case false?: break
            }
        }
        for directory in changeset.opaque { mark(directory, in: &result) }
        for path in parents where !path.isRoot && result[path]?.isDirectory != true {
            let below = changeset.shows(path) ? lower[path] : nil
            let metadata = below?.isDirectory == true ? below?.metadata : nil
            // Removed and made again: what the lower layers have in it is gone.
            if result[path]?.kind == .whiteout { mark(path, in: &result) }
            result[path] = Entry(path: path, metadata: metadata ?? Metadata(mode: 0o755), kind: .directory)
        }
        return result
    }

    private func mark(_ directory: TreePath, in result: inout [TreePath: Entry]) {
        let marker = directory.appending(Entry.opaqueMarker)
        result[marker] = Entry(path: marker, metadata: Metadata(mode: 0), kind: .whiteout)
    }
}
