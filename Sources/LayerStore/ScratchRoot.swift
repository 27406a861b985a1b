public import Bytes
import Posix
import SystemPackage

/// A place for a root that is needed for the time of one command.
///
/// It lies on the store's file system, so that hard links can be made. It is removed when its owner lets go of it, or by the
/// next command when its owner was killed.
public final class ScratchRoot: Sendable {
    private let staging: StagingArea
    /// Does not exist yet.
    public let path: ByteString

    /// - Parameter otherwise: the directory to use when the store cannot be written.
    /// - Throws: ``LayerStoreError`` when there is no place at all.
    public init(_ store: Store, or otherwise: ByteString) throws(LayerStoreError) {
        do {
            staging = try StagingArea(store.directory)
        } catch .system(_, let error) where Store.forbidsWriting(error) {
            staging = try StagingArea(inside: otherwise)
        }
        path = staging.directory.path(of: Self.name)
    }

    /// A place in the store itself.
    init(in store: Store) throws(LayerStoreError) {
        staging = try StagingArea(store.directory)
        path = staging.directory.path(of: Self.name)
    }

    /// The last component of ``path``.
    static let name: ByteString = "root"
    /// The directory that holds it.
    var parent: OwnedDescriptor { _read { yield staging.directory } }
}
