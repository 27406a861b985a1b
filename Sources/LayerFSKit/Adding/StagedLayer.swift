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
            var union = PlanUnion(try HostDirectories(root: root), of: entries)
            for start in stride(from: 0, to: order.count, by: Self.partSize) {
                let positions = order[start..<min(start + Self.partSize, order.count)].map { Int($0) }
                let known =
                    try known.map { Array($0[start..<(start + positions.count)]) }
                    ?? Self.known(entries, positions, intake)
                let looking = ahead ?? EntriesThere(entries, positions, known, intake, pool, progress)
                let areThere = Array(try looking.next(positions.count))
                let rest = positions.indices.filter { !areThere[$0] }
                let part = rest.map { entries[positions[$0]] }
                let (files, copied) = try Self.stage(part, rest.map { known[$0] }, intake, pool, progress)
                news = (news.contents + copied.contents, news.bytes &+ copied.bytes)
                var next = 0
                for (place, position) in positions.enumerated() {
                    if areThere[place], let content = known[place], let size = entries.walkedSize(at: position) {
                        try union.add(position, of: entries, digest: content.digest, size)
                        continue
                    }
                    let (planned, file) = (part[next], files[next])
                    next += 1
                    if case .generated(let bytes, _) = planned.content,
                        try intake.lacks(Digest(hashing: bytes), size: UInt64(bytes.count))
                    {
                        news = (news.contents + 1, news.bytes &+ UInt64(bytes.count))
                    }
                    let (entry, isTimeless) = try Self.entry(planned, file, isExact: plan.isExact, intake)
                    try union.add(entry, planned.origin, isTimeless: isTimeless)
                }
                try intake.took(files.compactMap(\.self))
            }
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

    /// Takes the files of the host into the store, on all workers.
    ///
    /// - Parameter known: what is known of each entry of `part`.
    /// - Returns: for each entry of `part` the file that it is of, nil for what is no file of the host; and how many contents were new.
    private static func stage(
        _ part: [PlannedEntry], _ known: [KnownContent?], _ intake: some ContentIntake, _ pool: WorkerPool,
        _ progress: ProgressMeter
    ) throws -> (files: [SourceFile?], news: (contents: Int, bytes: UInt64)) {
        // Several entries may be of one file: two programs that need one library.
        var places: [ByteString: Int] = [:]
        var wanted: [(source: ByteString, state: SourceState, known: KnownContent?)] = []
        places.reserveCapacity(part.count)
        wanted.reserveCapacity(part.count)
        let files = zip(part, known).map { entry, known -> Int? in
            guard let file = entry.file else { return nil }
            let place = places[file.source, default: wanted.count]
            if place == wanted.count {
                places[file.source] = place
                wanted.append((file.source, file.state, known))
            }
            return place
        }
        // A few at a time: most are known, and handing one out takes longer than finding that.
        let groups = (wanted.count + groupSize - 1) / groupSize
        let staged = try pool.map(groups) { [wanted] group in
            let range = (group * groupSize)..<min((group + 1) * groupSize, wanted.count)
            var size: UInt64 = 0
            let sources = try range.map { index in
                let file = wanted[index]
                let source = try intake.stage(file: file.source, state: file.state, known: file.known)
                // What was examined when the plan was made, and found to be allowed, is what must be stored.
                guard source.fingerprint.identity == file.state.fingerprint.identity else {
                    throw LayerStoreError.sourceChanges(file.source)
                }
                size &+= source.size
                // Large files take long: whoever watches is told of each.
                if size >= progressStep {
                    try progress.advance(by: size)
                    size = 0
                }
                return source
            }
            try progress.advance(by: size)
            return sources
        }
        // Of several files with one content one was copied.
        let news = staged.joined().lazy.filter { $0.wasCopied && $0.size > 0 }
            .reduce(into: (contents: 0, bytes: UInt64(0))) { $0 = ($0.contents + 1, $0.bytes &+ $1.size) }
        return (files.map { $0.map { staged[$0 / groupSize][$0 % groupSize] } }, news)
    }

    /// A part of what waits to be published: each entry is there several times while it is dealt with.
    private static let partSize = 1024
    /// How many entries may be looked up before they are in order.
    private static let lookUpLimit = 16_384
    private static let groupSize = 16
    private static let progressStep: UInt64 = 1 << 20

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
