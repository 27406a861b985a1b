public import Bytes

/// Layers stacked left to right into one tree, as overlayfs or a container engine would show them.
///
/// A pure function of its inputs. Each layer is laid over those before it:
/// - A path that both have, with the same content, owner, mode and attributes, is no conflict; the lower one stays, so
///   that a time of modification alone never makes a layer larger.
/// - A directory over a symbolic link to a directory follows the link (`/lib` over `/lib -> usr/lib`): what it holds
///   lands in the link's target.
/// - Anything else on the same path is a ``Conflict``, settled by the ``ConflictPolicy``.
/// - A whiteout removes its path, and all below it, from the layers underneath.
public struct Composition: Sendable {
    /// A layer and the name by which messages call it.
    public struct Layer: Sendable {
        public var name: String
        public var tree: Tree

        public init(name: String, tree: Tree) {
            self.name = name
            self.tree = tree
        }
    }

    /// What one layer puts on top of those below it.
    public struct Contribution: Hashable, Sendable {
        public var name: String
        /// Sorted by path and closed under parents, without `/`; empty when the stack below has it all already.
        public var entries: Tree.Entries
    }

    /// The union.
    public let tree: Tree
    /// For each layer, in order, what it adds or changes: applied one after the other they make ``tree``. One that
    /// completes the stack is the last.
    public let contributions: [Contribution]
    /// For each layer, in order, all that it brings and the union keeps: each is a tree of its own.
    public let complete: [Contribution]
    /// The conflicts that the policy settled.
    public let settled: [Conflict]

    /// Stacks `layers`, the lowest first.
    ///
    /// - Parameter completion: a layer that was made to go on top of these, and replaces what they have on its paths.
    /// - Throws: ``CompositionError`` with every conflict, when `policy` is ``ConflictPolicy/error``.
    public init(
        _ layers: [Layer], onConflict policy: ConflictPolicy = .error, completedBy completion: Layer? = nil
    ) throws(CompositionError) {
        if layers.count == 1, completion == nil, let alone = Stack.alone(layers[0].tree, policy: policy) {
            tree = alone
            contributions = [Contribution(name: layers[0].name, entries: alone.entries.dropFirst())]
            (complete, settled) = (contributions, [])
            return
        }
        var stack = Stack(policy: policy)
        var contributions: [Contribution] = []
        var complete: [Contribution] = []
        for layer in layers {
            let change = stack.apply(layer)
            contributions.append(Contribution(name: layer.name, entries: change.changed))
            complete.append(Contribution(name: layer.name, entries: change.kept))
        }
        if policy == .error, !stack.conflicts.isEmpty { throw .conflicts(stack.conflicts) }
        if let completion {
            let change = stack.complete(with: completion)
            contributions.append(Contribution(name: completion.name, entries: change.changed))
            complete.append(Contribution(name: completion.name, entries: change.kept))
        }
        tree = stack.tree
        self.contributions = contributions
        self.complete = complete
        settled = stack.conflicts
    }
}

extension Composition {
    /// The layers without what lost a conflict: stacked again, they make the same union and never disagree.
    public var surviving: [Layer] {
        complete.map { layer in
            var entries: [TreePath: Entry] = [.root: tree.entries[0]]
            for entry in layer.entries {
                guard let winner = tree[entry.path], winner.kind == entry.kind,
                    winner.metadata.matches(entry.metadata)
                else { continue }
                var path = winner.path
                while entries[path] == nil, let kept = tree[path] {
                    entries[path] = kept
                    path = path.parent
                }
            }
            return Layer(name: layer.name, tree: Tree(unchecked: Tree.Entries(entries.values).sorted))
        }
    }
}

/// What to do when two layers have different things on one path.
public enum ConflictPolicy: String, Hashable, Sendable, CaseIterable, Codable {
    /// Refuse to compose.
    case error
    /// The layer stacked later wins, as in overlayfs.
    case last
    /// The layer stacked earlier stays.
    case first
    /// Layers are changesets, as container engines apply them: whatever a layer has, its time included, takes the place of what
    /// is below, no link is followed, and nothing is a conflict. So are the layers of an imported image stacked.
    case overlay
}

/// Two layers that have different things on one path.
public struct Conflict: Hashable, Sendable, CustomStringConvertible {
    /// How the two differ.
    public enum Reason: String, Hashable, Sendable {
        case content = "different content"
        case target = "different link target"
        case metadata = "different mode, owner or attributes"
        case kind = "different file types"
        /// A directory lies over a link that leads nowhere or to no directory.
        case directoryOverLink = "a directory over a link that is not to a directory"
        /// A link lies over a directory: what the directory holds would be hidden.
        case linkOverDirectory = "a symbolic link over a directory"
    }

    public var path: TreePath
    /// The layer underneath, by name.
    public var lower: String
    /// The layer on top, by name.
    public var upper: String
    public var reason: Reason
    /// Where each layer has it: not ``path`` where a link of the stack leads there.
    public var lowerPath: TreePath
    public var upperPath: TreePath

    /// Who disagrees, and how: `bash and ls have different content`. Where names and paths would say nothing, as of one layer
    /// that has a file both in `/lib` and, through a link, in `/usr/lib`, both places are named.
    public var description: String {
        guard lower == upper || lowerPath != upperPath else { return "\(lower) and \(upper) have \(reason.rawValue)" }
        if lower == upper {
            return "\(lower) has \(reason.rawValue) at \(lowerPath) and \(upperPath), which are one place"
        }
        return "\(lower) (at \(lowerPath)) and \(upper) (at \(upperPath)) have \(reason.rawValue)"
    }
}

/// Why layers do not compose.
public enum CompositionError: Error, Hashable, CustomStringConvertible {
    /// Never empty; in the order of layers, then of paths.
    case conflicts([Conflict])

    public var description: String {
        switch self {
        case .conflicts(let conflicts):
            let shown = conflicts.prefix(10).map { conflict in
                "  \(conflict.path): \(conflict)"
            }
            let more = conflicts.count > 10 ? ["  and \(conflicts.count - 10) more"] : []
            return
                (["the layers disagree on \(conflicts.count) path\(conflicts.count == 1 ? "" : "s"):"] + shown + more
                + ["to choose one, compose them with --on-conflict last or --on-conflict first"]).joined(
                    separator: "\n")
        }
    }
}
