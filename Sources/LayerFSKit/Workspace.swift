public import Bytes
import Digests
public import LayerStore
import OCI
public import Posix
public import Trees

/// A store and what surrounds it: where every use case begins.
public struct Workspace: Sendable {
    public let store: Store
    /// Times in what is made do not exceed this one; nil for no limit.
    public let sourceDateEpoch: Timestamp?

    /// Opens the store `paths.own`, made when it is to be added to and there is none, and the further ones.
    ///
    /// - Parameters:
    ///   - patience: how long to wait for a command that has the store for itself.
    ///   - trust: whose stores are believed.
    public init(
        stores paths: StorePaths, _ access: Store.Access, patience: Duration = .seconds(10), trust: StoreTrust = .own,
        sourceDateEpoch: Timestamp?
    ) throws(LayerStoreError) {
        store = try Store(paths, access, patience: patience, trust: trust)
        self.sourceDateEpoch = sourceDateEpoch
    }

    /// The same without further stores.
    public init(
        store path: ByteString, _ access: Store.Access, patience: Duration = .seconds(10), trust: StoreTrust = .own,
        sourceDateEpoch: Timestamp?
    ) throws(LayerStoreError) {
        try self.init(
            stores: StorePaths(path), access, patience: patience, trust: trust, sourceDateEpoch: sourceDateEpoch)
    }
}

extension Workspace {
    /// Opens the store's index while this thread goes on, for what will soon ask it of many contents.
    public func openingIndex() -> Background<Void> {
        let store = store
        return Background(WorkerPool()) { store.openIndex() }
    }

    /// The time to record for what is made now: RFC 3339, no later than ``sourceDateEpoch``.
    var now: String {
        RFC3339.text(secondsSinceEpoch: min(FileTime.now.seconds, sourceDateEpoch?.seconds ?? .max))
    }
}
