import Bytes
public import Digests
public import Posix
import SystemPackage
public import Trees

/// Links to the contents of a store that are as the index remembers them and serve as they are: nearly all of a root.
///
/// One stat(2) tells of each, as ``NodeStore`` has it; what that leaves open, and what cannot be linked, is for ``NodeStore`` to find out.
public struct ContentLinks: Sendable {
    private let store: Store
    private let states: PreparedStates
    private let isUsable: Bool
    /// Whether there are contents that were made for a root, which go before those of the store.
    private let hasVolatile: Bool

    init(_ store: Store, _ states: PreparedStates) {
        (self.store, self.states) = (store, states)
        isUsable = store.tamperGuard.believes(states)
        hasVolatile = !store.blobs.volatile.isEmpty
    }

    /// Makes ``NodeStore`` go by what was looked up for these.
    public func use() { store.tamperGuard.use(states) }

    /// Gives the content `digest` the name `name` in `directory`, as a file with `metadata`.
    ///
    /// - Returns: whether it has it; if not, nothing was done.
    public func link(
        _ digest: Digest, size: UInt64, metadata: Metadata, exactTime: Bool, to name: UnsafeRawBufferPointer,
        in directory: borrowing OwnedDescriptor
    ) throws(SystemError) -> Bool {
        let wanted = InodeMetadata(metadata)
        guard isUsable, size > 0, metadata.mode & 0o6000 == 0, wanted.isShareable,
            case .some(.some(let state)) = states.state(of: digest), !hasVolatile || !store.blobs.isVolatile(digest)
        else { return false }
        let home = store.directory
        let result = BlobPath.withCString(of: digest) { path -> Result<Bool, SystemError> in
            do throws(SystemError) {
                guard let status = try home.blobs.statusIfPresent(ofCString: path), status.size == size,
                    InodeFingerprint(status) == state, wanted.matches(status, exactTime: exactTime)
                else { return .success(false) }
                return .success(try directory.link(name, toCString: path, in: home.blobs) == nil)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
