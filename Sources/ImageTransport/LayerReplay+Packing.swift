import Digests
import Posix
import Trees

extension LayerReplay {
    /// Adds the members of a layer that `packing` makes of `entries`: what its headers say, not what they were made of.
    ///
    /// - Throws: ``TransportError`` for what no layer can have.
    mutating func add(layerOf entries: Tree.Entries, _ packing: LayerPacking) throws {
        for entry in LayerPacking.ordered(entries) {
            var digest = Digest.empty
            if case .file(let content, _) = entry.kind { digest = content }
            try add(packing.header(for: entry), digest: digest)
        }
        try endLayer()
    }
}

extension WrittenLayers {
    /// Begins to replay a layer that nothing is below: what it makes depends on no byte that is written.
    static func beginReplay(
        of entries: Tree.Entries, _ packing: LayerPacking, _ pool: WorkerPool
    ) -> Background<LayerReplay> {
        Background(pool) {
            var replay = LayerReplay()
            try replay.add(layerOf: entries, packing)
            return replay
        }
    }
}
