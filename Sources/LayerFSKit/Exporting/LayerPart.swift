import Digests
import LayerStore
import Trees

/// What becomes one layer of an image.
struct LayerPart: Sendable {
    var entries: Tree.Entries
    /// What the history of the image says.
    var source: String
    /// The one layer of the store that it comes from.
    var record: LayerRecord?

    /// The digest of its tar, where it is all of that layer.
    func knownDiffID(_ workspace: Workspace) throws -> DiffID? {
        // Of an imported layer it is that of the tar it came as.
        guard let record, record.skeleton == nil else { return nil }
        let tree = try workspace.store.tree(of: record)
        return tree.entries.dropFirst() == entries ? record.diffID : nil
    }
}
