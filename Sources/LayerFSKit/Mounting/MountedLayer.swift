import Bytes
import Digests
import LayerStore
import Trees

/// A directory of an overlay: what a layer, or several, add to those below.
struct MountedLayer {
    /// In the cache of roots.
    let name: ByteString
    let tree: Tree

    /// - Parameter owner: what it is kept with; nil for what belongs to no layer, and is kept only as long as it is mounted.
    private init(_ tree: Tree, owner: Digest?) {
        self.tree = tree
        let key = Digest(hashing: TreeDump.encode(tree))
        name = RootCache.name(owner: owner ?? key, key: key)
    }

    /// Those of `composition`, the lowest first, one at least. Layers that add nothing have none; of too many, neighbours are merged.
    ///
    /// - Parameter limit: how many there may be.
    static func layers(of composition: Composition, _ selection: Selection, limit: Int) throws(TreeError) -> [Self] {
        // A layer of the loader's cache, which no selection has, comes last.
        let owners = selection.layers.map(\.record.tree)
        let used = composition.contributions.enumerated().filter { !$0.element.entries.isEmpty }
        // Of an empty root there is still the directory itself.
        guard !used.isEmpty else { return [Self(composition.tree, owner: nil)] }
        var layers: [Self] = []
        for group in LayerMerge(used.map(\.element.entries), limit: limit).groups {
            let position = used[group.range.lowerBound].offset
            let isOne = group.range.count == 1 && position < owners.count
            let tree = try Tree(overlayLayer: group.entries, root: composition.tree.entries[0])
            layers.append(Self(tree, owner: isOne ? owners[position] : nil))
        }
        return layers
    }
}
