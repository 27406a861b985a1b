import Digests
import Posix
import Synchronization
import SystemPackage
import Trees

/// Contents of a session that are flushed, and lie in directories of the staging area that a store which lacks them is given as a whole
/// at the end (docs/decisions/0040). There may be millions: what is known of each here is a bit.
final class RestingContents: Sendable {
    /// Of so many bits, a million contents set one in sixteen: so often is looked for what is not there.
    private static let markCount = 1 << 24

    private struct State {
        /// A bit for all digests that have some bits in common; empty as long as nothing rests.
        var marks: [UInt64] = []
        /// The first bytes of the digests.
        var shards: Set<UInt8> = []
        /// What may lie where it would rest, but does not: it is being written, and may be forgotten again.
        var beginning: Set<Digest> = []

        mutating func add(_ digest: Digest) {
            if marks.isEmpty { marks = Array(repeating: 0, count: markCount / UInt64.bitWidth) }
            let (word, bit) = Self.mark(digest)
            marks[word] |= bit
            shards.insert(StoreSession.firstByte(digest))
        }

        func mayContain(_ digest: Digest) -> Bool {
            if marks.isEmpty { return false }
            let (word, bit) = Self.mark(digest)
            return marks[word] & bit != 0
        }

        /// Digests are evenly spread already.
        private static func mark(_ digest: Digest) -> (word: Int, bit: UInt64) {
            let number = digest.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) }
            return (number / UInt64.bitWidth % (markCount / UInt64.bitWidth), 1 << UInt64(number % UInt64.bitWidth))
        }
    }

    private let state = Mutex(State())

    /// The directories of all that rests, by the first byte of the digests in them.
    var shards: Set<UInt8> { state.withLock { $0.shards } }

    func add(_ digests: some Sequence<Digest>) {
        state.withLock { state in
            for digest in digests {
                state.add(digest)
            }
        }
    }

    /// Forgets all that rests.
    func removeAll() {
        state.withLock { state in
            state.marks = []
            state.shards = []
        }
    }

    /// Notes that a thread is about to write the content where it may rest later.
    ///
    /// - Returns: false when another thread is.
    func begin(_ digest: Digest) -> Bool { state.withLock { $0.beginning.insert(digest).inserted } }

    /// Notes that what that thread wrote waits to be published, or is no longer there.
    func end(_ digest: Digest) { state.withLock { _ = $0.beginning.remove(digest) } }

    /// Whether the content may rest; false means that it does not.
    func mayContain(_ digest: Digest) -> Bool { state.withLock { $0.mayContain(digest) } }

    /// The status of the content in `staging`; nil when it does not rest there.
    func status(of digest: Digest, in staging: StagingArea) throws(LayerStoreError) -> FileStatus? {
        try state.withLock { (state) throws(LayerStoreError) in
            // Nobody begins to write it before it was looked for.
            guard state.mayContain(digest), !state.beginning.contains(digest) else { return nil }
            do throws(SystemError) {
                return try staging.directory.status(of: BlobPath.of(digest))
            } catch  where error.errno == .noSuchFileOrDirectory {
                return nil
            } catch {
                throw .system(step: "examine the content \(digest)", error)
            }
        }
    }
}
