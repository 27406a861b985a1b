public import Digests
import Synchronization

/// Small contents that were made for a root while it is composed, and are in no layer: they are given out as those of the
/// store are, and gone with the process. A store that is only read has them too.
final class VolatileContents: Sendable {
    private let contents = Mutex<[Digest: [UInt8]]>([:])

    subscript(digest: Digest) -> [UInt8]? { contents.withLock { $0[digest] } }

    var isEmpty: Bool { contents.withLock { $0.isEmpty } }

    func insert(_ bytes: [UInt8]) -> Digest {
        let digest = Digest(hashing: bytes)
        contents.withLock { $0[digest] = bytes }
        return digest
    }
}

extension BlobStore {
    /// Keeps `bytes` for as long as the store is open, to be read as any content; nothing is written to the store.
    public func keep(volatile bytes: [UInt8]) -> Digest { volatile.insert(bytes) }

    /// Whether `digest` was given to ``keep(volatile:)``, so that the store may have no file of it.
    public func isVolatile(_ digest: Digest) -> Bool { volatile[digest] != nil }
}
