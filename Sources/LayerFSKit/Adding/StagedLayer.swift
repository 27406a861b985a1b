import Bytes
import Digests
import LayerStore
import Posix
import SystemPackage
import Trees

/// The tree of a plan: its files taken into the store, and the directories that they lie in.
struct StagedLayer {
    let tree: Tree

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
        progress.begin("reading", total: plan.entries.size)
        let order = plan.entries.order
        do {
            var union = PlanUnion(try HostDirectories(root: root)) { path in
                plan.entries.first { $0.path == path }?.origin
            }
            var newest: Int64 = 0
            for start in stride(from: 0, to: order.count, by: Self.partSize) {
                let part = order[start..<min(start + Self.partSize, order.count)].map { plan.entries[Int($0)] }
                let files = try Self.stage(part, intake, pool, progress)
                for (planned, file) in zip(part, files) {
                    if let file { newest = max(newest, file.metadata.modified.seconds) }
                    let (entry, isTimeless) = try Self.entry(planned, file, isExact: plan.isExact, intake)
                    try union.add(entry, planned.origin, isTimeless: isTimeless)
                }
                try intake.took(files.compactMap(\.self))
            }
            tree = try union.tree(time: Timestamp(seconds: newest), mergesUsr: !plan.isExact)
        } catch let error as SystemError {
            throw LayerFSError.system(step: "examine the host", error)
        }
    }

    /// Takes the files of the host into the store, on all workers.
    ///
    /// - Returns: for each entry of `part` the file that it is of; nil for what is no file of the host.
    private static func stage(
        _ part: [PlannedEntry], _ intake: some ContentIntake, _ pool: WorkerPool, _ progress: ProgressMeter
    ) throws -> [SourceFile?] {
        // Several entries may be of one file: two programs that need one library.
        var places: [ByteString: Int] = [:]
        var wanted: [(source: ByteString, state: SourceState)] = []
        places.reserveCapacity(part.count)
        wanted.reserveCapacity(part.count)
        let files = part.map { entry -> Int? in
            guard let file = entry.file else { return nil }
            let place = places[file.source, default: wanted.count]
            if place == wanted.count {
                places[file.source] = place
                wanted.append(file)
            }
            return place
        }
        let known = try intake.known(wanted.map(\.state.fingerprint))
        // A few at a time: most are known, and handing one out takes longer than finding that.
        let groups = (wanted.count + groupSize - 1) / groupSize
        let staged = try pool.map(groups) { [wanted] group in
            let range = (group * groupSize)..<min((group + 1) * groupSize, wanted.count)
            var size: UInt64 = 0
            let sources = try range.map { index in
                let file = wanted[index]
                let source = try intake.stage(file: file.source, state: file.state, known: known[index])
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
        return files.map { $0.map { staged[$0 / groupSize][$0 % groupSize] } }
    }

    private static let partSize = 16_384
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
