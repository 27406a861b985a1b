/// How far apart two words are, to guess what a person meant.
public enum EditDistance {
    /// Those of `candidates` that are at most two edits from `word`; the nearest first, at most three.
    public static func near(_ word: String, among candidates: some Sequence<String>) -> [String] {
        let word = Array(word.utf8)
        // A third of the letters: `ls` is not near every word of two letters.
        let limit = min(2, max(1, word.count / 3))
        var found: Set<String> = []
        let scored = candidates.compactMap { candidate -> (Int, String)? in
            guard found.insert(candidate).inserted else { return nil }
            let other = Array(candidate.utf8)
            guard abs(other.count - word.count) <= limit else { return nil }
            let distance = distance(word, other)
            return distance <= limit ? (distance, candidate) : nil
        }
        return scored.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(3).map(\.1)
    }

    /// The fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string
    /// alignment).
    public static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var row = [i + 1]
            for (j, y) in b.enumerated() {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (x == y ? 0 : 1))
                if i > 0, j > 0, x == b[j - 1], a[i - 1] == y { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
