import Digests

/// What indexes remember of contents that are wanted together.
final class PreparedStates: Sendable {
    /// Sorted, each once.
    private let digests: [Digest]
    private let states: [InodeFingerprint?]
    /// Where the digests begin whose first bits are at least these; one more at the end. As many as there are digests: looking one up is
    /// looking at one or two.
    private let starts: [UInt32]
    private let shift: UInt64

    init() { (digests, states, starts, shift) = ([], [], [], 63) }

    /// - Parameter digests: sorted, each once.
    init(digests: [Digest], states: [InodeFingerprint?]) {
        (self.digests, self.states) = (digests, states)
        let bits = max(1, min(24, Int.bitWidth - digests.count.leadingZeroBitCount))
        let shift = UInt64(64 - bits)
        var starts: [UInt32] = []
        starts.reserveCapacity(1 << bits + 1)
        for (position, digest) in digests.enumerated() {
            let first = Int(Self.firstBits(digest, shift))
            while starts.count <= first { starts.append(UInt32(position)) }
        }
        while starts.count <= 1 << bits { starts.append(UInt32(digests.count)) }
        (self.starts, self.shift) = (starts, shift)
    }

    var isEmpty: Bool { digests.isEmpty }

    /// What was found of `digest`; nil when it was not looked up.
    func state(of digest: Digest) -> InodeFingerprint?? {
        if digests.isEmpty { return nil }
        let first = Int(Self.firstBits(digest, shift))
        var (low, high) = (Int(starts[first]), Int(starts[first + 1]))
        while low < high {
            let middle = (low + high) / 2
            if digests[middle] < digest { low = middle + 1 } else { high = middle }
        }
        return low < digests.count && digests[low] == digest ? .some(states[low]) : nil
    }

    private static func firstBits(_ digest: Digest, _ shift: UInt64) -> UInt64 {
        digest.withUnsafeBytes { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) } >> shift
    }
}
