public import LayerStore
import Posix

/// Removes from a store what no name reaches.
public struct CollectGarbage: Sendable {
    private let workspace: Workspace

    /// - Parameter workspace: opened with `Store.Access.collecting`.
    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// - Parameters:
    ///   - age: what nothing names stays while it is younger than this.
    ///   - dryRun: only count.
    /// - Throws: `LayerStoreError` when something that a name reaches is missing or damaged: nothing is removed then.
    ///   `Interruption` between two files; what is left is garbage as before.
    public func run(keepingYoungerThan age: Duration = .zero, dryRun: Bool = false) throws -> GarbageReport {
        try workspace.store.collectGarbage(keepingYoungerThan: age, dryRun: dryRun) { try Interruption.check() }
    }
}
