public import Digests
import Posix

extension Store {
    /// Whether all of `contents` are here and as they were when they came, as far as their inodes tell; what they do not tell
    /// is read.
    ///
    /// - Parameter contents: by digest, with their sizes where they are known.
    /// - Throws: ``LayerStoreError`` when a content cannot be looked at.
    public func isSound(_ contents: [Digest: UInt64?]) throws(LayerStoreError) -> Bool {
        let wanted = contents.filter { $0.key != .empty }.sorted { $0.key < $1.key }
        let digests = wanted.map(\.key)
        return try tamperGuard.areFaultless(sorted: digests) { (position) throws(LayerStoreError) in
            guard let place = try blobs.find(digests[position]) else { return nil }
            if let size = wanted[position].value, place.status.size != size { return nil }
            return place.status
        }
    }

    /// From now on reads every content before it is relied on: for whoever met one that is damaged though its inode does not
    /// show it.
    public func distrustInodes() { tamperGuard.becomeStrict() }
}
