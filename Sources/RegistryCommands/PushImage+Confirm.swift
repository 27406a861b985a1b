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
        /// There is, or nothing is noted.
        case changed
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
        let export = ExportImage(try store.workspace(.reading))
        guard let noted = export.noted(root, options), export.isUnchanged(noted) else { return .changed }
        guard let found = try answer.value(), found.bytes == noted.manifest else { return .unknown }
        return .done(TransferSummary(present: found))
    }

    /// Finds out whether there is anything to do, without composing anything: where it is noted what an export of `source` is, all
    /// that it is made of is as it was then, and the registry has that manifest under the tag, and all its blobs.
    ///
    /// - Returns: what a push did that had nothing to do; nil when there is something to do, or it is not known.
    /// - Throws: what opening the store throws, ``RegistryError``, `CancellationError`.
    func confirm(
        _ source: PushSource, _ options: ExportImage.Options, _ store: StoreOptions
    ) async throws -> TransferSummary? {
        guard case .root(let root) = source, artifacts.isEmpty,
            let (manifest, isUnchanged) = try Self.noted(root, options, in: store.workspace(.reading))
        else { return nil }
        let (host, name, store) = (place.host, place.repository, credentials)
        let summary = try await interruptibly {
            try await RegistryConnection.with(
                host: host, self.options, credential: { try store.credential(host: host, repository: name) }
            ) { try await Repository($0, name).holds(manifest, as: place.manifestName) }
        }
        guard let summary, await isUnchanged.value else { return nil }
        return summary
    }

    /// The manifest that is noted, and whether it is still that of `root`, which is found out while the registry is asked. The store
    /// is closed when that is known, not when the registry has answered.
    private static func noted(
        _ root: RootExpression, _ options: ExportImage.Options, in workspace: Workspace
    ) -> (manifest: [UInt8], isUnchanged: Task<Bool, Never>)? {
        let export = ExportImage(workspace)
        guard let noted = export.noted(root, options) else { return nil }
        return (noted.manifest, Task { await inBackground { export.isUnchanged(noted) } })
    }
}
