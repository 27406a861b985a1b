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
            let staging = FileStaging(intake, pool, progress)
            let union = PlanUnion(try HostDirectories(root: root), of: entries)
            var gathering = Gathering(plan, staging, intake, union: union)
            // The next part is begun before one is dealt with, so that nobody waits for this thread.
            var begun: Part?
            for start in stride(from: 0, to: order.count, by: Self.partSize) {
                let positions = order[start..<min(start + Self.partSize, order.count)].map { Int($0) }
                let known =
                    try known.map { Array($0[start..<(start + positions.count)]) }
                    ?? Self.known(entries, positions, intake)
                let looking = ahead ?? EntriesThere(entries, positions, known, intake, pool, progress)
                let part = Part(entries, positions, known, Array(try looking.next(positions.count)), staging)
                if let begun { try gathering.add(begun) }
                begun = part
            }
            if let begun { try gathering.add(begun) }
            news = gathering.news
            // Not a copy, of which every piece would be copied that is given its time.
            tree = try (consume gathering).tree()
        } catch let error as SystemError {
            throw LayerFSError.system(step: "examine the host", error)
        }
    }

    /// Entries that are dealt with together.
    private struct Part {
        let positions: [Int]
        let known: [KnownContent?]
        /// Of which nothing needs to be taken.
        let areThere: [Bool]
        /// All others, whose files are being taken.
        let rest: [PlannedEntry]
        let files: FileStaging.Batch

        init(
            _ entries: PlanEntries, _ positions: [Int], _ known: [KnownContent?], _ areThere: [Bool],
            _ staging: FileStaging
        ) {
            (self.positions, self.known, self.areThere) = (positions, known, areThere)
            let places = positions.indices.filter { !areThere[$0] }
            rest = places.map { entries[positions[$0]] }
            files = staging.begin(rest, known: places.map { known[$0] })
        }
    }

    /// What becomes of one part after the other.
    private struct Gathering {
        private let (entries, isExact): (PlanEntries, Bool)
        private let staging: FileStaging
        private let intake: any ContentIntake
        private var union: PlanUnion
        private(set) var news = (contents: 0, bytes: UInt64(0))

        init(_ plan: LayerPlan, _ staging: FileStaging, _ intake: some ContentIntake, union: consuming PlanUnion) {
            (entries, isExact) = (plan.entries, plan.isExact)
            (self.staging, self.intake, self.union) = (staging, intake, union)
        }

        /// Waits for the files of `part`, and adds its entries.
        mutating func add(_ part: Part) throws {
            let (files, copied) = try staging.end(part.files)
            news = (news.contents + copied.contents, news.bytes &+ copied.bytes)
            var next = 0
            for (place, position) in part.positions.enumerated() {
                if part.areThere[place], let content = part.known[place], let size = entries.walkedSize(at: position) {
                    try union.add(position, of: entries, digest: content.digest, size)
                    continue
                }
                let (planned, file) = (part.rest[next], files[next])
                next += 1
                if case .generated(let bytes, _) = planned.content,
                    try intake.lacks(Digest(hashing: bytes), size: UInt64(bytes.count))
                {
                    news = (news.contents + 1, news.bytes &+ UInt64(bytes.count))
                }
                let (entry, isTimeless) = try StagedLayer.entry(planned, file, isExact: isExact, intake)
                try union.add(entry, planned.origin, isTimeless: isTimeless)
            }
            try intake.took(files.compactMap(\.self))
        }

        consuming func tree() throws -> Tree { try union.tree(mergesUsr: !isExact) }
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

    /// - Returns: the entry, and whether it gets the time of the newest file.
    private static func entry(
        _ planned: PlannedEntry, _ file: SourceFile?, isExact: Bool, _ intake: some ContentIntake
    ) throws -> (Entry, isTimeless: Bool) {
        switch planned.content {
        case .file(let source, _, let change):
            guard let file else { throw LayerStoreError.sourceChanges(source) }
            var metadata = file.metadata
            metadata.modified.nanoseconds = 0
            change.apply(to: &metadata)
            let kind = Entry.Kind.file(digest: file.digest, size: file.size)
            return (Entry(path: planned.path, metadata: metadata, kind: kind), false)
        case .generated(let bytes, let mode):
            let digest = try intake.stage(bytes: bytes, mode: 0o444)
            let kind = Entry.Kind.file(digest: digest, size: UInt64(bytes.count))
            return (Entry(path: planned.path, metadata: Metadata(mode: mode), kind: kind), true)
        case .node(let kind, let metadata, _):
            return (Entry(path: planned.path, metadata: metadata, kind: kind), !isExact)
        }
    }
}
