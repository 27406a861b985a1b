import Bytes
import Posix
import Trees

/// What of the files that sources offer goes into a plan: nothing that is excluded, and nothing that is denied.
///
/// Denials are collected, so that a person is told all of them at once.
final class PlanFilter {
    private let excluded: [PathGlob]
    private let denyList: DenyList
    private var denials: [Denial] = []

    init(excluding excluded: [PathGlob], _ denyList: DenyList) {
        (self.excluded, self.denyList) = (excluded, denyList)
    }

    /// Whether `path` of the layer, or a directory that it lies in, is excluded.
    func excludes(_ path: TreePath) -> Bool { excluded.contains { $0.covers(path) } }

    /// Whether the file `source` of the host may be taken. That it may not is remembered.
    func admits(_ source: TreePath) -> Bool {
        guard let denial = denyList.denial(of: source) else { return true }
        denials.append(denial)
        return false
    }

    /// Whether a walk that was let into a directory goes on to `source` in it, which is to be `path`: what is said of the
    /// directory holds for all in it, so only what is said of the path itself counts.
    func lets(_ path: TreePath, from source: TreePath) -> Bool {
        if excluded.contains(where: { $0.matches(path) }) { return false }
        return !denyList.concerns(source) || admits(source)
    }

    /// `entries` without those that are excluded or denied. A directory by itself, as packages bring `/home`, holds no secret.
    func apply(to entries: [PlannedEntry]) -> [PlannedEntry] {
        entries.filter { entry in
            if excludes(entry.path) { return false }
            if case .node(.directory, _, _) = entry.content { return true }
            return entry.rootPath.map(admits) ?? true
        }
    }

    /// Looks into the files of `plan` that may hold keys.
    ///
    /// - Throws: ``LayerFSError/denied(_:)`` when anything was denied, here or before.
    func check(_ plan: LayerPlan) throws(LayerFSError) {
        for entry in plan.entries where entry.origin != .programs {
            guard case .file(let source, _, _) = entry.content, let path = entry.rootPath else { continue }
            do {
                if let denial = try denyList.denial(ofContent: source, at: path) { denials.append(denial) }
            } catch {
                throw .system(step: "look into \(source)", error)
            }
        }
        if !denials.isEmpty { throw .denied(denials) }
    }
}
