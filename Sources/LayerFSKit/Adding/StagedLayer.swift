import Bytes
import Digests
import LayerStore
import Posix
import Synchronization
import SystemPackage
import Trees

/// The tree of a plan: its files taken into the store, and the directories that they lie in.
struct StagedLayer {
    let tree: Tree
    /// The contents that the store did not have, each counted once in all layers of a session, and their bytes.
    private(set) var news = (contents: 0, bytes: UInt64(0))

    /// The distinct contents of the layer, generated ones included; without the empty one.
    var contents: some Sequence<(digest: Digest, size: UInt64)> { tree.entries.distinctContents }

    /// Takes what is not in the store yet.
    ///
    /// Regular files of the host keep their time, in whole seconds, which is what a tar holds. Everything else gets that of
    /// the newest file in the layer: on a host, directories and links tell only when a package was unpacked, and would make
    /// the same files another layer on every machine (docs/decisions/0001). In an exact plan they keep theirs.
    ///
    /// The plan is gone through in the order of its paths, a part at a time: what is made of a part is an entry of the tree, and
    /// nothing else of it stays in memory.
    ///
    /// - Parameter root: where the root of the plan's closures lies on this machine.
    /// - Throws: ``LayerFSError/conflictingSources(_:)`` when the plan wants different things on one path.
    init(
        _ plan: LayerPlan, root: ByteString, intake: some ContentIntake, pool: WorkerPool, progress: ProgressMeter
    ) throws {
        let entries = plan.entries
        progress.begin("reading", total: entries.size)
        do {
            let (order, known) = try Self.order(entries, intake)
            let ahead = known.map { EntriesThere(entries, order.map { Int($0) }, $0, intake, pool, progress) }
            let staging = FileStaging(intake, count: order.count, pool, progress)
            var union = PlanUnion(try HostDirectories(root: root), of: entries)
            // The next part is begun before one is dealt with, so that nobody waits for this thread.
            var begun: Part?
            var start = 0
            repeat {
                var next: Part?
                if start < order.count {
                    let positions = order[start..<min(start + Self.partSize, order.count)].map { Int($0) }
                    let known =
                        try known.map { Array($0[start..<(start + positions.count)]) }
                        ?? Self.known(entries, positions, intake)
                    let looking = ahead ?? EntriesThere(entries, positions, known, intake, pool, progress)
                    next = Part(entries, positions, known, Array(try looking.next(positions.count)), staging)
                }
                if let begun {
                    let added = try begun.end(of: plan, staging, intake, in: &union)
                    news = (news.contents + added.contents, news.bytes &+ added.bytes)
                }
                begun = next
                start += Self.partSize
            } while begun != nil
            // Not a copy, of which every piece would be copied that is given its time.
            tree = try (consume union).tree(mergesUsr: !plan.isExact)
        } catch let error as SystemError {
            throw LayerFSError.system(step: "examine the host", error)
        }
    }

    /// The order of `entries`, and, unless these are very many, what is known of each in that order: found out at the same time, since
    /// neither needs the other.
    private static func order(
        _ entries: PlanEntries, _ intake: some ContentIntake
    ) throws -> (order: [UInt32], known: [KnownContent?]?) {
        if entries.count > lookUpLimit { return (entries.order, nil) }
        let order = Mutex<[UInt32]>([])
        let known = Mutex<[KnownContent?]>([])
        try WorkerPool(workers: 2).forEach(2) { task in
            if task == 0 {
                let found = try Self.known(entries, entries.indices, intake)
                known.withLock { $0 = found }
            } else {
                let sorted = entries.order
                order.withLock { $0 = sorted }
            }
        }
        return order.withLock { order in known.withLock { known in (order, order.map { known[Int($0)] }) } }
    }

    /// What is known of the files at `positions`; nil of what is no file of the host.
    private static func known(
        _ entries: PlanEntries, _ positions: some Collection<Int>, _ intake: some ContentIntake
    ) throws -> [KnownContent?] {
        var result = [KnownContent?](repeating: nil, count: positions.count)
        var places: [Int] = []
        var states: [SourceFingerprint] = []
        for (place, position) in positions.enumerated() {
            guard let state = entries.fingerprint(at: position) else { continue }
            places.append(place)
            states.append(state)
        }
        for (place, found) in zip(places, try intake.known(states)) { result[place] = found }
        return result
    }

    /// A part of what waits to be published: each entry is there several times while it is dealt with.
    private static let partSize = 1024
    /// How many entries may be looked up before they are in order.
    private static let lookUpLimit = 16_384
}
