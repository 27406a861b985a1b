import Digests
import LayerStore
import Trees

/// What becomes one layer of an image.
struct LayerPart: Sendable {
    var entries: Tree.Entries
    /// What the history of the image says.
    var source: String
    /// The one layer of the store that it comes from, and the tree of that.
    var origin: (record: LayerRecord, tree: Tree)?

    /// The digest of its tar, where it is all of that layer.
    var knownDiffID: DiffID? {
        // Of an imported layer it is that of the tar it came as.
        guard let (record, tree) = origin, record.skeleton == nil else { return nil }
        return tree.entries.dropFirst() == entries ? record.diffID : nil
    }
}
