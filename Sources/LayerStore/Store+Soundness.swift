public import Digests
import Posix
import Synchronization
import Trees

extension Store {
    /// Whether all of `contents` are here and as they were when they came, as far as their inodes tell; what they do not tell
    /// is read.
    ///
    /// - Parameter contents: by digest, with their sizes where they are known.
    /// - Throws: ``LayerStoreError`` when a content cannot be looked at.
    public func isSound(_ contents: [Digest: UInt64?]) throws(LayerStoreError) -> Bool {
        try states(of: contents) != nil
    }

    /// The same, with how their inodes are; nil when one is not sound.
    ///
    /// - Throws: ``LayerStoreError`` when a content cannot be looked at.
    public func states(of contents: [Digest: UInt64?]) throws(LayerStoreError) -> ContentStates? {
        let wanted = contents.filter { $0.key != .empty }.sorted { $0.key < $1.key }
        let digests = wanted.map(\.key)
        let states = try tamperGuard.faultlessStates(sorted: digests) { (position) throws(LayerStoreError) in
            guard let place = try blobs.find(digests[position]) else { return nil }
            if let size = wanted[position].value, place.status.size != size { return nil }
            return place.status
        }
        return states.flatMap { ContentStates(digests: digests, states: $0) }
    }

    /// Whether the contents of `known` are in the store as they were then. No index is asked, and nothing is read: what is not as it
    /// was may be good all the same.
    ///
    /// - Throws: ``LayerStoreError`` when a content cannot be looked at.
    public func isUnchanged(_ known: ContentStates) throws(LayerStoreError) -> Bool {
        let isUnchanged = Atomic(true)
        let size = TamperGuard.partSize
        try WorkerPool().forEach((known.count + size - 1) / size) { (part) throws(LayerStoreError) in
            for position in (part * size)..<min((part + 1) * size, known.count) {
                guard isUnchanged.load(ordering: .relaxed) else { return }
                if try state(of: known.digests[position]) != known.states[position] {
                    isUnchanged.store(false, ordering: .relaxed)
                }
            }
        }
        return isUnchanged.load(ordering: .relaxed)
    }

    /// How the inode of a content is; nil when no store has it. Nothing is allocated for one that this store has.
    private func state(of digest: Digest) throws(LayerStoreError) -> InodeFingerprint? {
        // Not the result of the closure: the metadata of a generic type would be looked up for each content.
        var status: FileStatus?
        var failure: SystemError?
        BlobPath.withCString(of: digest) { path in
            do throws(SystemError) { status = try directory.blobs.statusIfPresent(ofCString: path) } catch {
                failure = error
            }
        }
        if let failure { throw .system(step: "examine the content \(digest)", failure) }
        if let status { return InodeFingerprint(status) }
        return try blobs.find(digest).map { InodeFingerprint($0.status) }
    }

    /// From now on reads every content before it is relied on: for whoever met one that is damaged though its inode does not
    /// show it.
    public func distrustInodes() { tamperGuard.becomeStrict() }
}
