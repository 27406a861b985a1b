public import Digests

extension Tree.Entries {
    /// The contents of the regular files that are not empty, each once, in no particular order.
    public var distinctContents: some Sequence<(digest: Digest, size: UInt64)> & Sendable {
        firstOfContents.lazy.map { [self] position in
            let record = packed.records[Int(position)]
            return (record.digest, record.size)
        }
    }

    /// Where each content that is not empty is met first. Sorted by beginnings of digests, which are as good as whole ones but for some:
    /// a set of digests would take ten times the memory.
    private var firstOfContents: [UInt32] {
        var keys: [(key: UInt64, position: UInt32)] = []
        for position in indices {
            guard let (digest, size) = content(at: position), size > 0 else { continue }
            keys.append((digest.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }, UInt32(position)))
        }
        keys.sort { ($0.key, $0.position) < ($1.key, $1.position) }
        var result: [UInt32] = []
        // Those of one beginning that were met: mostly one.
        var met = 0..<0
        for (key, position) in keys {
            if let last = result.last, keyOf(last) != key { met = result.count..<result.count }
            let digest = packed.records[Int(position)].digest
            if result[met].contains(where: { packed.records[Int($0)].digest == digest }) { continue }
            result.append(position)
            met = met.lowerBound..<result.count
        }
        return result
    }

    private func keyOf(_ position: UInt32) -> UInt64 {
        packed.records[Int(position)].digest.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }
}
