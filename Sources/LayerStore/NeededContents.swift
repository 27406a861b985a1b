import Digests

/// Contents that must be there, with their sizes where those are known; some forty bytes for each.
struct NeededContents {
    private var contents: [(digest: Digest, size: UInt64)] = []
    /// No content has as many bytes.
    private static let unknown = UInt64.max

    mutating func add(_ digest: Digest, size: UInt64? = nil) { contents.append((digest, size ?? Self.unknown)) }

    /// Makes them ready to be looked up: sorted, each once, with its size where one is known.
    mutating func sort() {
        // Known sizes are smaller, and so come first.
        contents.sort { ($0.digest, $0.size) < ($1.digest, $1.size) }
        var kept = 0
        for index in contents.indices where index == 0 || contents[index].digest != contents[kept - 1].digest {
            contents[kept] = contents[index]
            kept += 1
        }
        contents.removeLast(contents.count - kept)
    }

    /// The size that the content `digest` must have; nil when that is not known.
    func size(of digest: Digest) -> UInt64? {
        let index = lowerBound { $0 < digest }
        guard index < contents.count, contents[index].digest == digest else { return nil }
        return contents[index].size == Self.unknown ? nil : contents[index].size
    }

    /// Those whose digests begin with `first`, sorted.
    func digests(beginningWith first: UInt8) -> some RandomAccessCollection<Digest> {
        func byte(_ digest: Digest) -> UInt8 { digest.withUnsafeBytes { $0[0] } }
        return contents[lowerBound { byte($0) < first }..<lowerBound { byte($0) <= first }].lazy.map(\.digest)
    }

    /// Where the first of them is that is not `isBefore`.
    private func lowerBound(_ isBefore: (Digest) -> Bool) -> Int {
        var (low, high) = (0, contents.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(contents[middle].digest) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
