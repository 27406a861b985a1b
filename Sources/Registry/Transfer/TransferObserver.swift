public import OCI
public import RegistryProtocol

/// Told how the blobs of a push or pull fare; called from many tasks at once.
public protocol TransferObserver: Sendable {
    func transfer(_ blob: Descriptor, _ event: TransferEvent)
}

/// A moment in the life of a transfer.
public enum TransferEvent: Hashable, Sendable {
    /// So many bytes are there now; fewer than before when it had to begin again.
    case reached(Int64)
    case ended(TransferOutcome)
}

/// Nobody watches.
public struct NoObserver: TransferObserver {
    public init() {}
    public func transfer(_ blob: Descriptor, _ event: TransferEvent) {}
}
