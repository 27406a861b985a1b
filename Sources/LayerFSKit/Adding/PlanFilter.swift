import Bytes

/// What of the files that sources offer goes into a plan.
final class PlanFilter {
    private let excluded: [PathGlob]

    init(excluding excluded: [PathGlob]) { self.excluded = excluded }

    /// Whether `path` of the layer, or a directory that it lies in, is excluded.
    func excludes(_ path: TreePath) -> Bool { excluded.contains { $0.covers(path) } }

    /// Whether the file `source` of the host may be taken.
    func admits(_ source: TreePath) -> Bool { true }

    /// `plan` without the entries that are excluded.
    func apply(to entries: [PlannedEntry]) -> [PlannedEntry] { entries.filter { !excludes($0.path) } }
}
