import Bytes
import Digests
import Posix
import Synchronization
import SystemPackage
import Trees

/// Notices, by one stat(2), that a blob was written to or given another mode or owner through a hard link.
///
/// A state that the index remembers is believed. Any other is read: a difference that the content does not show (a store that was
/// copied elsewhere has other inodes) is none. Without an index everything is read, once per process.
final class TamperGuard: Sendable {
    private let blobs: BlobStore
    /// Only asked for fingerprints: a wrong one costs reading, and cannot pass a changed content for a good one.
    private let index: LazyIndex
    /// Those of further stores, for contents that the store itself knows nothing of.
    private let furtherIndexes: [LayerIndex]
    private let remembered = Mutex(Remembered())
    private let verified = Mutex<[Digest: InodeFingerprint]>([:])
    /// States that were found to be good and that the index does not know.
    private let unrecorded = Mutex<[Digest: InodeFingerprint]>([:])
    private let isStrict = Mutex(false)

    init(_ directory: StoreDirectory, _ blobs: BlobStore, index: LayerIndex?, further: [LayerIndex]) {
        self.blobs = blobs
        furtherIndexes = further
        self.index = LazyIndex(path: directory.path + "/" + StoreIndex.fileName, opened: index)
    }

    /// What is wrong with a blob.
    enum Fault {
        case content(found: String)
        case metadata(expected: InodeFingerprint)
    }

    /// From now on believes only what this process has read.
    func becomeStrict() { isStrict.withLock { $0 = true } }

    /// What was looked up.
    private struct Remembered {
        /// Of all contents that are wanted together.
        var prepared = PreparedStates()
        /// Of others; nil for what no index knows.
        var states: [Digest: InodeFingerprint?] = [:]
        /// How many were asked for that had not been looked up.
        var misses = 0
        /// The first bytes of digests of which all that is known was looked up.
        var whole: Set<UInt8> = []
    }

    /// What the index remembers of `digests`, looked up at once. See ``use(_:)``.
    func states(of digests: some Sequence<Digest>) -> PreparedStates {
        // Of a concrete type: the compiler makes code for sorting that only then.
        var sorted = Array(digests)
        sorted.sort()
        // The same content may be wanted often.
        var count = 0
        for position in sorted.indices where position == 0 || sorted[position] != sorted[count - 1] {
            sorted[count] = sorted[position]
            count += 1
        }
        sorted.removeSubrange(count...)
        let states = lookUp(sorted: sorted)
        return PreparedStates(digests: sorted, states: states)
    }

    /// Goes by these states from now on; what was looked up before is forgotten.
    func use(_ states: PreparedStates) {
        remembered.withLock { known in
            known = Remembered()
            known.prepared = states
        }
    }

    /// The same of contents that the store's own index was asked about together with something else.
    func use(_ contents: [(digest: Digest, state: InodeFingerprint?)]) {
        var sorted = contents
        sorted.sort { $0.digest < $1.digest }
        var digests: [Digest] = []
        var states: [InodeFingerprint?] = []
        digests.reserveCapacity(sorted.count)
        states.reserveCapacity(sorted.count)
        for content in sorted where digests.last != content.digest {
            digests.append(content.digest)
            states.append(content.state)
        }
        lookUp(sorted: digests, in: furtherIndexes, &states)
        use(PreparedStates(digests: digests, states: states))
    }

    /// Looks up at once what the index remembers of `digests`; what was looked up before is forgotten.
    func prepare(_ digests: some Sequence<Digest>) { use(states(of: digests)) }

    /// Whether `states` are to be gone by: who is strict believes none.
    func believes(_ states: PreparedStates) -> Bool { !states.isEmpty && !isStrict.withLock { $0 } }

    /// Whether the store itself has the content, of this size, in the state that was looked up with others: of most contents that is all
    /// there is to know, and nothing is allocated to find it out.
    func isAsRemembered(_ digest: Digest, size: UInt64) throws(LayerStoreError) -> Bool {
        guard let states = believedStates else { return false }
        return try isAsRemembered(digest, size: size, states)
    }

    /// What was looked up; nil where that is not gone by.
    var believedStates: PreparedStates? {
        let states = remembered.withLock { $0.prepared }
        return believes(states) ? states : nil
    }

    /// The same for who asks of many.
    func isAsRemembered(
        _ digest: Digest, size: UInt64, _ states: PreparedStates
    ) throws(LayerStoreError) -> Bool {
        guard case .some(.some(let state)) = states.state(of: digest) else { return false }
        let home = blobs.store
        let result = BlobPath.withCString(of: digest) { path -> Result<Bool, SystemError> in
            do throws(SystemError) {
                let status = try home.blobs.statusIfPresent(ofCString: path)
                return .success(status.map { $0.size == size && InodeFingerprint($0) == state } ?? false)
            } catch {
                return .failure(error)
            }
        }
        return try during("examine the content \(digest)") { () throws(SystemError) in try result.get() }
    }

    /// The number of contents that are looked up by themselves; after them, one look brings all with the same first byte.
    private static let fewMisses = 16

    /// The state of the blob's inode that the index remembers.
    func expected(_ digest: Digest) -> InodeFingerprint? {
        let first = digest.withUnsafeBytes { $0[0] }
        let (known, misses) = remembered.withLock { known -> (InodeFingerprint??, Int) in
            if let state = known.prepared.state(of: digest) { return (state, 0) }
            if let state = known.states[digest] { return (state, 0) }
            if known.whole.contains(first) { return (.some(nil), 0) }
            known.misses += 1
            return (nil, known.misses)
        }
        if let known { return known }
        guard misses > Self.fewMisses else {
            let found = lookUp(sorted: [digest])[0]
            remembered.withLock { $0.states[digest] = .some(found) }
            return found
        }
        var found: [Digest: InodeFingerprint] = [:]
        for index in indexes {
            if let states = try? index.read("read", { try InodeFingerprint.all($0, beginningWith: first) }) {
                found.merge(states) { first, _ in first }
            }
        }
        return remembered.withLock { known in
            for (digest, state) in found where known.states[digest] == nil { known.states[digest] = .some(state) }
            known.whole.insert(first)
            return known.states[digest] ?? nil
        }
    }

    /// Opens the indexes, and reads their tables' definitions.
    func openIndexes() {
        for index in indexes { _ = try? index.read("read") { try InodeFingerprint.find(sorted: [.empty], $0) } }
    }

    /// Those that may know something, the store's own first.
    private var indexes: [LayerIndex] { (index.value.map { [$0] } ?? []) + furtherIndexes }

    /// For each of `digests`, which are sorted, what the first index remembers that knows it.
    private func lookUp(sorted digests: [Digest]) -> [InodeFingerprint?] {
        var result = [InodeFingerprint?](repeating: nil, count: digests.count)
        lookUp(sorted: digests, in: indexes, &result)
        return result
    }

    /// Sets those of `states` that are nil to what the first of `indexes` remembers that knows the content.
    private func lookUp(sorted digests: [Digest], in indexes: [LayerIndex], _ states: inout [InodeFingerprint?]) {
        for index in indexes {
            let unknown = states.indices.filter { states[$0] == nil }
            if unknown.isEmpty { break }
            // What cannot be asked is not known, and then contents are read.
            let found = try? index.read("read") { database in
                try InodeFingerprint.find(sorted: unknown.map { digests[$0] }, database)
            }
            for (position, state) in zip(unknown, found ?? []) { states[position] = state }
        }
    }

    /// The states of the contents `digests`, which are sorted, if they are without fault as far as one stat(2) of each tells; what
    /// it does not tell is read. nil when one has a fault.
    ///
    /// - Parameter find: gives the status of the content at this position; nil when it is missing, or another than is wanted.
    func faultlessStates(
        sorted digests: [Digest], _ find: @Sendable (Int) throws(LayerStoreError) -> FileStatus?
    ) throws(LayerStoreError) -> [InodeFingerprint]? {
        let states = lookUp(sorted: digests)
        let believes = !isStrict.withLock { $0 }
        let isFaultless = Atomic(true)
        let parts = (digests.count + Self.partSize - 1) / Self.partSize
        try WorkerPool().forEach(parts) { (part) throws(LayerStoreError) in
            for position in (part * Self.partSize)..<min((part + 1) * Self.partSize, digests.count) {
                guard isFaultless.load(ordering: .relaxed) else { return }
                guard let status = try find(position) else { return isFaultless.store(false, ordering: .relaxed) }
                if believes, let state = states[position], state == InodeFingerprint(status) { continue }
                if try fault(digests[position], status) != nil { isFaultless.store(false, ordering: .relaxed) }
            }
        }
        guard isFaultless.load(ordering: .relaxed) else { return nil }
        let read = verified.withLock { $0 }
        // Each has one of them: that by which it was believed, or that in which it was read.
        return zip(digests, states).compactMap { read[$0] ?? $1 }
    }

    /// How many contents a thread looks at in a row.
    static let partSize = 256

    /// What is wrong with the blob `digest`, whose inode has this `status`; nil when nothing is.
    func fault(_ digest: Digest, _ status: FileStatus) throws(LayerStoreError) -> Fault? {
        let found = InodeFingerprint(status)
        let expected = expected(digest)
        if verified.withLock({ $0[digest] }) == found || unrecorded.withLock({ $0[digest] }) == found { return nil }
        if found == expected, !isStrict.withLock({ $0 }) { return nil }
        if let damage = try contentFault(digest) { return .content(found: damage) }
        if let expected, found.isRegranted(expected) { return .metadata(expected: expected) }
        verified.withLock { $0[digest] = found }
        unrecorded.withLock { $0[digest] = found }
        return nil
    }

    private func contentFault(_ digest: Digest) throws(LayerStoreError) -> String? {
        let file = try blobs.open(digest, wantedBy: "a layer")
        return try during("read the content \(digest)") { () throws(SystemError) in try file.contentFault(digest) }
    }

    /// - Throws: ``LayerStoreError/damagedBlob(_:path:found:)`` when the content was changed, or the inode's mode or owner.
    func check(_ digest: Digest, _ status: FileStatus) throws(LayerStoreError) {
        let detail: String
        switch try fault(digest, status) {
        case nil: return
        case .content(let found): detail = found
        case .metadata(let expected): detail = "was given another mode or owner than \(expected.metadataText)"
        }
        throw .damagedBlob(digest, path: blobs.path(of: digest), found: detail)
    }

    /// Notes the state of a blob that was just published.
    func published(_ digest: Digest, _ state: InodeFingerprint) {
        unrecorded.withLock { $0[digest] = state }
    }

    /// Forgets what this process knows of states that the index knows as well, or that can be found out again.
    func forget() {
        remembered.withLock { $0 = Remembered() }
        if !isStrict.withLock({ $0 }) { verified.withLock { $0 = [:] } }
    }

    /// The good states that the index does not know, for the last time.
    func takeUnrecorded() -> [Digest: InodeFingerprint] {
        unrecorded.withLock { states in
            defer { states = [:] }
            return states
        }
    }
}

extension InodeFingerprint {
    /// `0755 0:0`.
    var metadataText: String { "0\(String(mode, radix: 8)) \(uid):\(gid)" }
}

extension OwnedDescriptor {
    /// Reads to the end; why that is not the content `digest`, or nil when it is.
    borrowing func contentFault(_ digest: Digest) throws(SystemError) -> String? {
        var hasher = DigestHasher()
        do {
            try forEachPiece { hasher.update($0) }
        } catch let error as SystemError {
            throw error
        } catch {
            // Hashing does not fail.
            return "\(error)"
        }
        let found = hasher.finalize()
        return found == digest ? nil : "has the digest \(found)"
    }
}
