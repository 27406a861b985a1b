import Bytes
import Digests
import LayerStore
import Posix
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
        progress.begin("reading", total: plan.entries.size)
        let order = plan.entries.order
        do {
            var union = PlanUnion(try HostDirectories(root: root)) { path in
                plan.entries.first { $0.path == path }?.origin
            }
            var newest: Int64 = 0
            for start in stride(from: 0, to: order.count, by: Self.partSize) {
                let part = order[start..<min(start + Self.partSize, order.count)].map { plan.entries[Int($0)] }
                let (files, copied) = try Self.stage(part, intake, pool, progress)
                news = (news.contents + copied.contents, news.bytes &+ copied.bytes)
                for (planned, file) in zip(part, files) {
                    if let file { newest = max(newest, file.metadata.modified.seconds) }
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
            tree = try (consume union).tree(time: Timestamp(seconds: newest), mergesUsr: !plan.isExact)
        } catch let error as SystemError {
            throw LayerFSError.system(step: "examine the host", error)
        }
    }

    /// Takes the files of the host into the store, on all workers.
    ///
    /// - Returns: for each entry of `part` the file that it is of, nil for what is no file of the host; and how many contents were new.
    private static func stage(
        _ part: [PlannedEntry], _ intake: some ContentIntake, _ pool: WorkerPool, _ progress: ProgressMeter
    ) throws -> (files: [SourceFile?], news: (contents: Int, bytes: UInt64)) {
        // Several entries may be of one file: two programs that need one library.
        var places: [ByteString: Int] = [:]
        var wanted: [(source: ByteString, state: SourceState)] = []
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
        let staged = try pool.map(wanted.count) { [wanted] index in
            let file = wanted[index]
            let source = try intake.stage(
                file: file.source, state: file.state, known: known[file.state.fingerprint])
            // What was examined when the plan was made, and found to be allowed, is what must be stored.
            guard source.fingerprint.identity == file.state.fingerprint.identity else {
                throw LayerStoreError.sourceChanges(file.source)
            }
            try progress.advance(by: source.size)
            return source
        }
        // Of several files with one content one was copied.
        let news = staged.lazy.filter { $0.wasCopied && $0.size > 0 }
            .reduce(into: (contents: 0, bytes: UInt64(0))) { $0 = ($0.contents + 1, $0.bytes &+ $1.size) }
        return (files.map { $0.map { staged[$0] } }, news)
    }

    /// A part of what waits to be published: each entry is there several times while it is dealt with.
    private static let partSize = 4096

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
