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

    /// What a walk asks.
    var forWalk: WalkFilter { WalkFilter(excluded: excluded, denyList: denyList) }

    /// Remembers what a walk was refused.
    func add(_ denials: [Denial]) { self.denials += denials }

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
        // By their names most are not among them: no entry is made of those.
        for position in plan.entries.files(named: denyList.mayLookInto) {
            let entry = plan.entries[position]
            guard entry.origin != .programs, case .file(let source, _, _) = entry.content, let path = entry.rootPath
            else { continue }
            do {
                if let denial = try denyList.denial(ofContent: source, at: path) { denials.append(denial) }
            } catch {
                throw .system(step: "look into \(source)", error)
            }
        }
        if !denials.isEmpty { throw .denied(denials) }
    }
}

/// What of the files below a directory that a walk was let into goes into a plan; asked by several threads.
struct WalkFilter: Sendable {
    fileprivate let excluded: [PathGlob]
    fileprivate let denyList: DenyList

    /// Whether the walk may have to say no to something named `name`.
    func mayRefuse(_ name: ByteString) -> Bool { !excluded.isEmpty || denyList.mayConcern(name) }

    /// Whether the walk goes on to `source` in a directory, which is to be `path`: what is said of the directory holds for all in it, so
    /// only what is said of the path itself counts. A denial is added to `denials`.
    func lets(_ path: TreePath, from source: TreePath, _ denials: inout [Denial]) -> Bool {
        if excluded.contains(where: { $0.matches(path) }) { return false }
        guard denyList.concerns(source), let denial = denyList.denial(of: source) else { return true }
        denials.append(denial)
        return false
    }
}
