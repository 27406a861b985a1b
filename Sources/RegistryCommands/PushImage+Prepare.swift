import LayerFSCommands
import LayerFSKit
import LayerStore
import Registry

extension PushImage {
    /// Makes what `source` names ready to be pushed: of a root, what the registry lacks of it.
    ///
    /// - Throws: what `ExportImage` throws, ``RegistryError``, `SystemError`, `CancellationError`.
    func prepare(
        _ source: PushSource, _ options: ExportImage.Options, _ store: StoreOptions, showing console: Console
    ) async throws -> PushSource.Prepared {
        switch source {
        case .layout(let path, let reference): return try PushSource.find(reference, in: path)
        case .root(let root):
            // Closed again while the registry is asked.
            let known = try PushSource.known(root, in: store.workspace(.reading), options)
            let settled = known.isEmpty ? [:] : try await interruptibly { try await settle(known) }
            let workspace = try store.workspace(.reading)
            return try console.whileWatching { progress in
                try PushSource.export(root, from: workspace, options, besides: settled, progress: progress)
            }
        }
    }
}
