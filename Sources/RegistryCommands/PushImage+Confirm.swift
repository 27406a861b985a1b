import LayerFSCommands
import LayerFSKit
import LayerStore
import Registry
import RegistryProtocol

extension PushImage {
    /// Finds out whether there is anything to do, without composing anything: where it is noted what an export of `source` is, and
    /// the registry has that manifest under the tag, and all its blobs. Nothing leaves the store then, so nothing of it is looked at.
    ///
    /// - Returns: what a push did that had nothing to do; nil when there is something to do, or it is not known.
    /// - Throws: what opening the store throws, ``RegistryError``, `CancellationError`.
    func confirm(
        _ source: PushSource, _ options: ExportImage.Options, _ store: StoreOptions
    ) async throws -> TransferSummary? {
        guard case .root(let root) = source, artifacts.isEmpty,
            // The store is closed while the registry is asked.
            let noted = try ExportImage(store.workspace(.reading)).notedManifest(root, options)
        else { return nil }
        let (host, name, store) = (place.host, place.repository, credentials)
        return try await interruptibly {
            try await RegistryConnection.with(
                host: host, self.options, credential: { try store.credential(host: host, repository: name) }
            ) { try await Repository($0, name).holds(noted, as: place.manifestName) }
        }
    }
}
