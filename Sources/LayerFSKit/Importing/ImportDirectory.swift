public import Bytes
import Digests
import LayerStore
import Trees

/// Takes a directory into the store as the root of a layer: what `add --dir DIR:/` does, but as it is, with devices, the times
/// of everything, and no links of a merged /usr that it does not have itself.
public struct ImportDirectory: Sendable {
    private let workspace: Workspace
    private let home: ByteString?

    /// - Parameters:
    ///   - workspace: opened with `Store.Access.adding`.
    ///   - home: the home directory of whoever runs layerfs, whose files are not taken.
    public init(_ workspace: Workspace, home: ByteString?) { (self.workspace, self.home) = (workspace, home) }

    /// - Throws: as ``PlanLayers`` and ``AddLayers``.
    public func run(
        _ path: ByteString, _ options: ImportOptions, progress: ProgressMeter = .none
    ) throws -> ImportSummary {
        guard let name = options.name else { throw LayerFSError.importNameNeeded("a directory can have many names") }
        var request = AddRequest()
        request.directories = [try PathMapping(path + ":/")]
        request.name = name
        request.isExact = true
        let layers = try PlanLayers(searchPath: [], home: home).run(request)
        let added = try AddLayers(workspace).run(consume layers, replacing: options.replacing, progress: progress)
        let record = try workspace.store.lookUp(name).map { found throws(LayerStoreError) in
            try workspace.store.layerRecord(found.record)
        }
        return ImportSummary(
            name: name, kind: .layer, outcome: added[0].outcome, platform: nil, manifest: nil,
            diffIDs: [record?.diffID.description ?? ""], entries: added[0].tree.entries.count, size: added[0].tree.size,
            cost: added[0].cost)
    }
}
