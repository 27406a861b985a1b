import Bytes
import Trees

/// The members of one layer, as long as they come in the order of their paths, each in a directory that is among them: then nothing
/// needs to be looked up, no link is on the way, and what they make is the list of them.
struct LayerListing {
    /// With `/`, which is root's, mode 0755, where the layer does not have it.
    private(set) var withRoot = Tree.empty.entries
    private var hasRoot = false
    /// The directory of the last member.
    private var parent = TreePath.root
    private var last = TreePath.root

    /// As the layer has them; sorted.
    var entries: Tree.Entries { hasRoot ? withRoot : withRoot.dropFirst() }

    /// Whether a member at `path` continues the list.
    func canAppend(_ path: TreePath) -> Bool {
        if path.isRoot { return !hasRoot && withRoot.count == 1 }
        guard last < path, path.bytes.count <= LayerMember.pathLimit else { return false }
        if path.isDirectly(in: parent) || path.parent.isRoot { return true }
        return withRoot.index(sorted: path.parent).map { withRoot.kind(at: $0) } == .directory
    }

    /// Adds an entry whose path ``canAppend(_:)`` admits.
    mutating func append(_ entry: Entry) {
        if entry.path.isRoot {
            (withRoot, hasRoot) = ([entry], true)
        } else {
            withRoot.append(entry)
            if !entry.path.isDirectly(in: parent) { parent = entry.path.parent }
            last = entry.path
        }
    }
}
