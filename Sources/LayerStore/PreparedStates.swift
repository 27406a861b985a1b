import Digests

/// What indexes remember of contents that are wanted together.
final class PreparedStates: Sendable {
    /// Sorted, each once.
    private let digests: [Digest]
    private let states: [InodeFingerprint?]

    init() { (digests, states) = ([], []) }

    /// - Parameter digests: sorted, each once.
    init(digests: [Digest], states: [InodeFingerprint?]) { (self.digests, self.states) = (digests, states) }

    var isEmpty: Bool { digests.isEmpty }

    /// What was found of `digest`; nil when it was not looked up.
    func state(of digest: Digest) -> InodeFingerprint?? {
        var (low, high) = (0, digests.count)
        while low < high {
            let middle = (low + high) / 2
            if digests[middle] < digest { low = middle + 1 } else { high = middle }
        }
        return low < digests.count && digests[low] == digest ? .some(states[low]) : nil
    }
}
