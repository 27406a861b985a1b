import LayerFSCommands
import LayerFSKit
import LayerStore
import Registry

extension PullToStore {
    /// Fetches and imports; all of the image where what the store has of it turns out not to be good.
    ///
    /// - Throws: as ``fetch(_:knowing:)`` and ``hand(_:to:progress:)``.
    func run(_ store: StoreOptions, showing console: Console) async throws -> (Fetched, [ImportSummary]) {
        let fetched = try await fetch(console) { try store.existingWorkspace() }
        if let standing = fetched.standing { return (fetched, [standing]) }
        let workspace = try store.workspace(.adding)
        do {
            return (fetched, try console.whileWatching { try hand(fetched, to: workspace, progress: $0) })
        } catch  where Self.isOfStore(error, fetched) {
            console.warn("what the store has of this image is not good, so all of it is fetched: \(error)")
            workspace.store.distrustInodes()
            let whole = try await fetch(console, knowing: nil)
            return (whole, try console.whileWatching { try hand(whole, to: workspace, progress: $0) })
        }
    }

    private func fetch(
        _ console: Console, knowing store: (@Sendable () throws -> Workspace?)?
    ) async throws -> Fetched {
        let board = TransferBoard()
        return try await console.whileWatching({ board.states }) {
            try await interruptibly { try await fetch(board, knowing: store) }
        }
    }
}
