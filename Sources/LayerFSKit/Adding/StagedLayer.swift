import Bytes
import Digests
import LayerStore
import Posix
import SystemPackage
import Trees

/// The tree of a plan: its files taken into the store, and the directories that they lie in.
struct StagedLayer {
    let tree: Tree
    /// The regular files of the host, in the plan's order, each source once.
    let sources: [SourceFile]
    /// The distinct contents of the layer, generated ones included, in the plan's order; without the empty one.
    let contents: [(digest: Digest, size: UInt64)]

    /// Takes what is not in the store yet.
    ///
    /// Regular files of the host keep their time, in whole seconds, which is what a tar holds. Everything else gets that of
    /// the newest file in the layer: on a host, directories and links tell only when a package was unpacked, and would make
    /// the same files another layer on every machine (docs/decisions/0001). In an exact plan they keep theirs.
    ///
    /// - Parameter root: where the root of the plan's closures lies on this machine.
    /// - Throws: ``LayerFSError/conflictingSources(_:)`` when the plan wants different things on one path.
    init(
        _ plan: LayerPlan, root: ByteString, intake: some ContentIntake, pool: WorkerPool, progress: ProgressMeter
    ) throws {
        let (sources, places) = try Self.stage(plan, intake, pool, progress)
        self.sources = sources
        let newest = Timestamp(seconds: sources.map(\.metadata.modified.seconds).max() ?? 0)
        var union = PlanUnion()
        var contents: [(digest: Digest, size: UInt64)] = []
        for planned in plan.entries {
            var file: SourceFile?
            if case .file(let source, _, _) = planned.content {
                // Every source was staged just now.
                guard let place = places[source] else { throw LayerStoreError.sourceChanges(source) }
                file = sources[place]
            }
            let entry = try Self.entry(planned, file, plan.isExact ? nil : newest, newest, intake)
            if case .file(let digest, let size) = entry.kind, size > 0 { contents.append((digest, size)) }
            union.add(entry, planned.origin)
        }
        var seen: Set<Digest> = []
        self.contents = contents.filter { seen.insert($0.digest).inserted }
        do {
            tree = try union.tree(directories: HostDirectories(root: root, time: newest), mergesUsr: !plan.isExact)
        } catch let error as SystemError {
            throw LayerFSError.system(step: "examine the host", error)
        }
    }

    /// Takes the files of the host into the store, on all workers.
    ///
    /// - Returns: the files, each source once, and by their sources which of them they are.
    private static func stage(
        _ plan: LayerPlan, _ intake: some ContentIntake, _ pool: WorkerPool, _ progress: ProgressMeter
    ) throws -> (files: [SourceFile], places: [ByteString: Int]) {
        var places: [ByteString: Int] = [:]
        // Which entries of the plan; a plan of a million files is not to be in memory twice.
        var wanted: [Int] = []
        places.reserveCapacity(plan.entries.count)
        var total: UInt64 = 0
        for (index, entry) in plan.entries.enumerated() {
            guard case .file(let source, let state, _) = entry.content, places[source] == nil else { continue }
            places[source] = wanted.count
            wanted.append(index)
            total &+= state.size
        }
        progress.begin("reading", total: total)
        var files: [SourceFile] = []
        files.reserveCapacity(wanted.count)
        // In parts, so that what is looked up for them stays small.
        for start in stride(from: 0, to: wanted.count, by: partSize) {
            let part = wanted[start..<min(start + partSize, wanted.count)].compactMap { plan.entries[$0].file }
            let known = try intake.known(part.map(\.state.fingerprint))
            files += try pool.map(part.count) { index in
                let file = part[index]
                let source = try intake.stage(
                    file: file.source, state: file.state, known: known[file.state.fingerprint])
                // What was examined when the plan was made, and found to be allowed, is what must be stored.
                guard source.fingerprint.identity == file.state.fingerprint.identity else {
                    throw LayerStoreError.sourceChanges(file.source)
                }
                try progress.advance(by: source.size)
                return source
            }
        }
        return (files, places)
    }

    private static let partSize = 16_384

    private static func entry(
        _ planned: PlannedEntry, _ file: SourceFile?, _ common: Timestamp?, _ time: Timestamp,
        _ intake: some ContentIntake
    ) throws -> Entry {
        switch planned.content {
        case .file(let source, _, let change):
            guard let file else { throw LayerStoreError.sourceChanges(source) }
            var metadata = file.metadata
            metadata.modified.nanoseconds = 0
            change.apply(to: &metadata)
            return Entry(path: planned.path, metadata: metadata, kind: .file(digest: file.digest, size: file.size))
        case .generated(let bytes, let mode):
            let digest = try intake.stage(bytes: bytes, mode: 0o444)
            return Entry(
                path: planned.path, metadata: Metadata(mode: mode, modified: time),
                kind: .file(digest: digest, size: UInt64(bytes.count)))
        case .node(let kind, var metadata, _):
            if let common { metadata.modified = common }
            return Entry(path: planned.path, metadata: metadata, kind: kind)
        }
    }
}
