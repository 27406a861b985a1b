public import Bytes
import Digests
import LayerStore
import Posix
public import Trees

/// Says what adding layers would come to, and writes nothing.
public struct PreviewLayers: Sendable {
    private let survey: ContentSurvey
    private let root: ByteString
    private let pool: WorkerPool

    /// - Parameters:
    ///   - workspace: the store that the layers would go into; nil for one that is not there yet.
    ///   - root: where the root of the plans' closures lies on this machine.
    public init(_ workspace: Workspace?, root: ByteString = "/", workers: Int? = nil) {
        survey = ContentSurvey(workspace?.store)
        self.root = root
        pool = WorkerPool(workers: workers)
    }

    /// A layer that would be made.
    public struct Preview: Sendable {
        public var name: Name
        public var tree: Tree
        public var cost: LayerCost
        /// The paths whose content the store does not have; of several with one content the first only.
        public var newPaths: Set<TreePath>
    }

    /// What ``AddLayers/run(_:replacing:progress:)`` would make of `requests`.
    ///
    /// - Throws: as that does.
    public func run(
        _ requests: [LayerRequest], replacing: Bool = false, progress: ProgressMeter = .none
    ) throws -> [Preview] {
        for request in requests { try UnresolvedClosure.check(request.plan) }
        var seen: Set<Digest> = []
        return try requests.map { request in
            let layer = try StagedLayer(request.plan, root: root, intake: survey, pool: pool, progress: progress)
            try survey.checkAvailable(request.name, for: layer.tree, replacing: replacing)
            let sizes = Dictionary(layer.contents.map { ($0.digest, $0.size) }) { first, _ in first }
            var new: Set<Digest> = []
            let cost = try LayerCost(layer.contents) { digest in
                let isNew = try seen.insert(digest).inserted && survey.lacks(digest, size: sizes[digest] ?? 0)
                if isNew { new.insert(digest) }
                return isNew
            }
            let entries = layer.tree.entries
            let newPaths = entries.indices.filter { position in
                entries.content(at: position).map { new.remove($0.digest) != nil } ?? false
            }
            return Preview(
                name: request.name, tree: layer.tree, cost: cost, newPaths: Set(newPaths.map { entries.path(at: $0) }))
        }
    }
}
