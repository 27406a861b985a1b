import Digests
import Posix

/// Contents of a store that were sound, and how their inodes were then: what ``Store/isUnchanged(_:)`` compares them with.
///
/// As much is believed as of the index, which remembers the same; but it is one file, read at once, for what is wanted together.
public struct ContentStates: Hashable, Sendable {
    let digests: [Digest]
    let states: [InodeFingerprint]

    /// Of no content.
    public static let none = ContentStates()

    /// How many contents.
    public var count: Int { digests.count }

    private init() { (digests, states) = ([], []) }

    /// nil unless there is one state for each.
    init?(digests: [Digest], states: [InodeFingerprint]) {
        guard digests.count == states.count else { return nil }
        (self.digests, self.states) = (digests, states)
    }

    private static let rowSize = 32 + 8 + 8 + 8 + 4 + 4 + 4 + 4

    /// As a file keeps them: numbers are little-endian.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count * Self.rowSize)
        for (digest, state) in zip(digests, states) {
            digest.withUnsafeBytes { result.append(contentsOf: $0) }
            for number in [
                state.inode, state.size, UInt64(bitPattern: state.modified.seconds),
                UInt64(state.modified.nanoseconds) | UInt64(state.mode) << 32,
                UInt64(state.uid) | UInt64(state.gid) << 32,
            ] {
                withUnsafeBytes(of: number.littleEndian) { result.append(contentsOf: $0) }
            }
        }
        return result
    }

    /// nil for what ``bytes`` does not give.
    public init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count % Self.rowSize == 0 else { return nil }
        var digests: [Digest] = []
        var states: [InodeFingerprint] = []
        digests.reserveCapacity(bytes.count / Self.rowSize)
        states.reserveCapacity(bytes.count / Self.rowSize)
        for start in stride(from: 0, to: bytes.count, by: Self.rowSize) {
            func number(_ index: Int) -> UInt64 {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 32 + index * 8, as: UInt64.self))
            }
            guard let digest = Digest(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + 32)])) else { return nil }
            digests.append(digest)
            states.append(
                InodeFingerprint(
                    inode: number(0), size: number(1),
                    modified: FileTime(
                        seconds: Int64(bitPattern: number(2)), nanoseconds: UInt32(truncatingIfNeeded: number(3))),
                    mode: UInt16(truncatingIfNeeded: number(3) >> 32),
                    uid: UInt32(truncatingIfNeeded: number(4)), gid: UInt32(truncatingIfNeeded: number(4) >> 32)))
        }
        self.init(digests: digests, states: states)
    }
}
