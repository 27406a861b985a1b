import Digests
public import LayerStore
import OCI
public import Trees

/// Keeps a composition as a named image.
public struct ComposeImage: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// What became of a composition.
    public struct Result: Sendable {
        public var composition: Composition
        public var selection: Selection
        /// nil when no name was given: nothing was stored then.
        public var outcome: CommitOutcome?
        /// Whether all programs find what they need.
        public var check: RootCheck
    }

    /// Stacks the layers of `expression` and, with a `name`, stores the image.
    ///
    /// - Parameter settings: what is set here replaces what an image among the expression has.
    /// - Parameter strict: refuse a root in which a program lacks something.
    /// - Throws: ``CompositionError`` for layers that disagree, ``UnsoundRoot``, ``LayerStoreError/nameTaken(_:detail:)`` for
    ///   a name that stands for something else.
    public func run(
        _ expression: RootExpression, as name: Name?, settings: ImageSettings, onConflict: ConflictPolicy?,
        strict: Bool = false, replacing: Bool = false
    ) throws -> Result {
        var selection = try workspace.select(expression)
        selection.settings = selection.settings.overridden(by: settings)
        if let onConflict { selection.onConflict = onConflict }
        selection = selection.withoutRepetitions
        _ = try ImageDefaults(workspace, selection)
        let composition = try workspace.compose(selection)
        let check = try CheckRoot(workspace).run(selection, composition.tree)
        if strict, !check.isSound { throw UnsoundRoot(expression: expression, check: check) }
        guard let name else {
            return Result(composition: composition, selection: selection, outcome: nil, check: check)
        }
        let record = ImageRecord(
            created: workspace.now, expression: expression.description,
            layers: selection.layers.map {
                ImageRecord.Layer(name: $0.name, record: $0.digest, group: $0.group, blob: $0.blob)
            },
            onConflict: selection.onConflict, entries: composition.tree.entries.count, size: composition.tree.size,
            settings: selection.settings)
        let session = try workspace.store.beginAdding()
        let outcome = try session.commit(image: name, record, replacing: replacing)
        return Result(composition: composition, selection: selection, outcome: outcome, check: check)
    }
}

extension ImageSettings {
    /// These settings, with those of `other` that are set in their place; environments and labels are merged by name.
    func overridden(by other: ImageSettings) -> ImageSettings {
        var result = self
        result.command = other.command ?? command
        // A new entrypoint makes the old command meaningless, as in a Dockerfile.
        if other.entrypoint != nil, other.command == nil { result.command = [] }
        result.entrypoint = other.entrypoint ?? entrypoint
        result.environment = Self.merging([environment, other.environment])
        result.workingDirectory = other.workingDirectory ?? workingDirectory
        result.user = other.user ?? user
        result.labels.merge(other.labels) { $1 }
        result.exposedPorts = Array(Set(exposedPorts + other.exposedPorts)).sorted()
        result.stopSignal = other.stopSignal ?? stopSignal
        result.platform = other.platform ?? platform
        return result
    }

    /// The variables of all `environments`, each name once: the last has the say.
    static func merging(_ environments: [[String]]) -> [String] {
        environments.reduce(into: []) { merged, next in
            let names = Set(next.map(variableName))
            merged = merged.filter { !names.contains(variableName($0)) } + next
        }
    }

    static func variableName(_ variable: String) -> Substring {
        variable.prefix { $0 != "=" }
    }
}
