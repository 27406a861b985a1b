import Digests
import LayerStore
import Trees

extension StagedLayer {
    /// Entries of a plan that are dealt with together.
    struct Part {
        private let positions: [Int]
        private let known: [KnownContent?]
        /// Of which nothing needs to be taken.
        private let areThere: [Bool]
        /// All others, whose files are being taken.
        private let rest: [PlannedEntry]
        private let files: FileStaging.Batch

        /// Begins to take the files of the entries at `positions`.
        ///
        /// - Parameters:
        ///   - known: what is known of each.
        ///   - areThere: whether a file is there, as it is known.
        init(
            _ entries: PlanEntries, _ positions: [Int], _ known: [KnownContent?], _ areThere: [Bool],
            _ staging: FileStaging
        ) {
            (self.positions, self.known, self.areThere) = (positions, known, areThere)
            let places = positions.indices.filter { !areThere[$0] }
            rest = places.map { entries[positions[$0]] }
            files = staging.begin(rest, known: places.map { known[$0] })
        }

        /// Waits for the files, and puts the entries into `union`.
        ///
        /// - Returns: the contents that were new, and their bytes.
        func end(
            of plan: LayerPlan, _ staging: FileStaging, _ intake: some ContentIntake, in union: inout PlanUnion
        ) throws -> (contents: Int, bytes: UInt64) {
            var (files, news) = try staging.end(files)
            var next = 0
            for (place, position) in positions.enumerated() {
                if areThere[place], let content = known[place], let size = plan.entries.walkedSize(at: position) {
                    try union.add(position, of: plan.entries, digest: content.digest, size)
                    continue
                }
                let (planned, file) = (rest[next], files[next])
                next += 1
                if case .generated(let bytes, _) = planned.content,
                    try intake.lacks(Digest(hashing: bytes), size: UInt64(bytes.count))
                {
                    news = (news.contents + 1, news.bytes &+ UInt64(bytes.count))
                }
                let (entry, isTimeless) = try StagedLayer.entry(planned, file, isExact: plan.isExact, intake)
                try union.add(entry, planned.origin, isTimeless: isTimeless)
            }
            try intake.took(files.compactMap(\.self))
            return news
        }
    }

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
