public import Bytes
import Posix

/// A place on the store's file system for a root that is needed for the time of one command; removed when its owner lets
/// go of it, or by the next command when its owner was killed.
public final class ScratchRoot: Sendable {
    private let staging: StagingArea
    /// Does not exist yet.
    public let path: ByteString

    /// - Throws: ``LayerStoreError`` when the store cannot be written.
    public init(_ store: Store) throws(LayerStoreError) {
        if let reason = store.directory.readOnlyReason { throw .readOnly(store.path, reason: reason) }
        staging = try StagingArea(store.directory)
        path = staging.directory.path + "/root"
    }
}
