import LayerFSCommands
import LayerFSKit
import LayerStore
import OCI
import Posix
import Registry
import Trees

extension PushImage {
    /// What is known of a push before anything is sent.
    enum Standing: Sendable {
        /// There is nothing to do.
        case done(TransferSummary)
        /// It is not noted what an export is, so that nobody need be asked.
        case unnoted
        case unknown
    }

    /// What can be found out without a thread of the network: where the registry is on this machine and spoken to in the clear.
    /// Otherwise as ``confirm(_:_:_:)``.
    ///
    /// - Throws: what opening the store throws.
    func confirmNearby(
        _ source: PushSource, _ options: ExportImage.Options, _ store: StoreOptions
    ) throws -> Standing {
        guard case .root(let root) = source, artifacts.isEmpty,
            let registry = NearbyRegistry(host: place.host, self.options)
        else { return .unknown }
        let (reference, name) = (place.manifestName, place.repository)
        // Asked while the store is looked at.
        let answer = Background(WorkerPool(workers: 2)) { registry.wholeImage(reference, in: name) }
        guard let noted = try ExportImage(store.workspace(.reading)).notedManifest(root, options) else {
            return .unnoted
        }
        guard let found = try answer.value(), found.bytes == noted else { return .unknown }
        return .done(TransferSummary(present: found))
    }

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
