public import Digests
import Posix

extension Store {
    /// Whether all of `contents` are here and as they were when they came, as far as their inodes tell; what they do not tell
    /// is read.
    ///
    /// - Parameter contents: by digest, with their sizes where they are known.
    /// - Throws: ``LayerStoreError`` when a content cannot be looked at.
    public func isSound(_ contents: [Digest: UInt64?]) throws(LayerStoreError) -> Bool {
        tamperGuard.prepare(contents.keys)
        for (digest, size) in contents where digest != .empty {
            guard let place = try blobs.find(digest) else { return false }
            if let size, place.status.size != size { return false }
            if try tamperGuard.fault(digest, place.status) != nil { return false }
        }
        return true
    }

    /// From now on reads every content before it is relied on: for whoever met one that is damaged though its inode does not
    /// show it.
    public func distrustInodes() { tamperGuard.becomeStrict() }
}
