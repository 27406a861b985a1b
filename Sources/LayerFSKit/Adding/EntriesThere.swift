import Digests
import LayerStore
import Posix

/// Which entries of a plan are files that need only be put into the tree: their states are known, they have no attributes, and the store
/// has their contents. Looked for on other threads, ahead of whoever asks; nothing is made of the entries on the way.
final class EntriesThere {
    private let work: OrderedWork<[Bool], any Error>
    private var found: ArraySlice<Bool> = []

    /// Begins with the entries at `positions`, in this order.
    ///
    /// - Parameters:
    ///   - known: what is known of each of them.
    ///   - progress: told of the sizes of files that are there.
    init(
        _ entries: PlanEntries, _ positions: [Int], _ known: [KnownContent?], _ intake: some ContentIntake,
        _ pool: WorkerPool, _ progress: ProgressMeter
    ) {
        guard known.contains(where: { $0 != nil }) else {
            work = OrderedWork(threads: 0)
            work.add(finished: [Bool](repeating: false, count: positions.count))
            return
        }
        // A thread takes longer to start than a few entries to look at.
        work = positions.count > Self.groupSize ? OrderedWork(pool) : OrderedWork(threads: 0)
        for start in stride(from: 0, to: positions.count, by: Self.groupSize) {
            let range = start..<min(start + Self.groupSize, positions.count)
            work.add { try Self.look(at: range, entries, positions, known, intake, progress) }
        }
    }

    /// Whether the next entry is there, and so on for `count` of them; waits for those that were not looked at yet.
    ///
    /// - Throws: what the store throws.
    func next(_ count: Int) throws -> ArraySlice<Bool> {
        while found.count < count, let more = try work.next() { found += more }
        defer { found = found.dropFirst(count) }
        return found.prefix(count)
    }

    private static func look(
        at range: Range<Int>, _ entries: PlanEntries, _ positions: [Int], _ known: [KnownContent?],
        _ intake: some ContentIntake, _ progress: ProgressMeter
    ) throws -> [Bool] {
        let areThere = try intake.areThere(
            range.map { place in
                guard let content = known[place], !content.hasAttributes,
                    let size = entries.walkedSize(at: positions[place])
                else { return nil }
                return (content.digest, size)
            })
        let size = zip(range, areThere).reduce(UInt64(0)) { total, found in
            found.1 ? total &+ (entries.walkedSize(at: positions[found.0]) ?? 0) : total
        }
        try progress.advance(by: size)
        return areThere
    }

    /// How many are looked at in one go.
    private static let groupSize = 256
}
