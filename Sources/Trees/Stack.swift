import Bytes

/// The union while layers are being stacked, and who put each path there.
struct Stack {
    struct Slot {
        var entry: Entry
        var layer: String
        /// Where the layer has it: below a link of the stack that is another place.
        var origin: TreePath
    }

    var slots: PathMap<Slot>
    private var policy: ConflictPolicy
    private(set) var conflicts: [Conflict] = []

    init(policy: ConflictPolicy) {
        self.policy = policy
        let root = Tree.empty.entries[0]
        slots = PathMap([.root: Slot(entry: root, layer: "", origin: .root)])
    }

    /// The union of one layer with nothing below: its own tree, but for the time of a root that every stack has as well, which only a
    /// changeset replaces. Nil when the layer has whiteouts, which then mean nothing.
    static func alone(_ tree: Tree, policy: ConflictPolicy) -> Tree? {
        if tree.entries.haveWhiteouts { return nil }
        if policy == .overlay { return tree }
        let root = Tree.empty.entries[0]
        if difference(lower: root, upper: tree.entries[0]) != nil { return tree }
        return tree.withRoot(root.metadata)
    }

    /// The union of the layers applied so far.
    var tree: Tree {
        Tree(unchecked: Tree.Entries(slots.values.values.lazy.map(\.entry)).sorted)
    }

    /// Lays `layer`, which was made for this stack, over it: what it has replaces what is there.
    mutating func complete(with layer: Composition.Layer) -> Change {
        policy = .last
        let settled = conflicts
        defer { conflicts = settled }
        return apply(layer)
    }

    /// What applying a layer did; both sorted, closed under parents, without `/`.
    struct Change {
        /// Entries that differ from the stack below.
        var changed: Tree.Entries
        /// Entries of the layer that the union has, changed or not.
        var kept: Tree.Entries
    }

    /// Lays `layer` over the stack.
    mutating func apply(_ layer: Composition.Layer) -> Change {
        if policy == .overlay { return overlay(layer) }
        var pass = Pass(layer: layer.name)
        // Whiteouts concern the layers below only, wherever in the layer they stand (image-spec, layer.md, Whiteouts).
        for entry in layer.tree.entries where entry.kind == .whiteout { remove(entry, in: &pass) }
        for entry in layer.tree.entries where entry.kind != .whiteout { place(entry, in: &pass) }
        return Change(
            changed: closed(pass.changed, and: pass.whiteouts), kept: closed(pass.kept, and: pass.whiteouts))
    }

    /// One layer on its way into the stack.
    private struct Pass {
        let layer: String
        /// Where each directory of the layer lies in the union; nil when it lost a conflict, and all in it with it.
        var places: [TreePath: TreePath?] = [:]
        var changed: Set<TreePath> = []
        var kept: Set<TreePath> = []
        var whiteouts: [Entry] = []

        init(layer: String) { self.layer = layer }
    }

    private mutating func place(_ entry: Entry, in pass: inout Pass) {
        guard !entry.path.isRoot else {
            pass.places[.root] = .root
            return settle(entry, at: .root, in: &pass)
        }
        guard case .some(.some(let directory)) = pass.places[entry.path.parent] else {
            if entry.isDirectory { pass.places[entry.path] = .some(nil) }
            return
        }
        settle(entry, at: directory.appending(entry.path.name), in: &pass)
    }

    /// Puts `entry` at `path` of the union, if it may.
    private mutating func settle(_ entry: Entry, at path: TreePath, in pass: inout Pass) {
        var entry = entry
        let origin = entry.path
        entry.path = path
        guard let slot = slots[path] else {
            return accept(entry, from: origin, in: &pass)
        }
        if entry.isDirectory, case .symlink = slot.entry.kind, let target = directory(behind: path) {
            pass.places[origin] = target
            pass.kept.insert(path)
            pass.kept.insert(target)
            return
        }
        guard let reason = Self.difference(lower: slot.entry, upper: entry) else {
            if entry.isDirectory { pass.places[origin] = path }
            pass.kept.insert(path)
            return
        }
        // The layer of the root that every stack starts with has no name: nobody disagrees with it.
        if !slot.layer.isEmpty {
            conflicts.append(
                Conflict(
                    path: path, lower: slot.layer, upper: pass.layer, reason: reason, lowerPath: slot.origin,
                    upperPath: origin))
            if policy != .last {
                let sameDirectory = entry.isDirectory && slot.entry.isDirectory
                if entry.isDirectory { pass.places[origin] = sameDirectory ? path : .some(nil) }
                return
            }
        }
        if slot.entry.isDirectory, !entry.isDirectory { slots.remove(path) }
        accept(entry, from: origin, in: &pass)
    }

    private mutating func accept(_ entry: Entry, from origin: TreePath, in pass: inout Pass) {
        slots.set(entry.path, Slot(entry: entry, layer: pass.layer, origin: origin))
        if entry.isDirectory { pass.places[origin] = entry.path }
        pass.changed.insert(entry.path)
        pass.kept.insert(entry.path)
    }

    private mutating func remove(_ whiteout: Entry, in pass: inout Pass) {
        guard let directory = directory(at: whiteout.path.parent) else { return }
        // All that lower layers have in an opaque directory; spelt out, since other layers may add to it.
        let paths =
            whiteout.isOpaqueMarker
            ? slots.children(of: directory) : [directory.appending(whiteout.path.name)]
        for path in paths { remove(path, whiteout, in: &pass) }
    }

    private mutating func remove(_ path: TreePath, _ whiteout: Entry, in pass: inout Pass) {
        guard slots[path] != nil else { return }
        slots.remove(path)
        var moved = whiteout
        moved.path = path
        pass.whiteouts.append(moved)
    }

    /// How `upper` differs from `lower` in what counts; nil when the two agree.
    private static func difference(lower: Entry, upper: Entry) -> Conflict.Reason? {
        switch (lower.kind, upper.kind) {
        case (.directory, .symlink): .linkOverDirectory
        case (.symlink, .directory): .directoryOverLink
        case (.symlink(let a), .symlink(let b)): a == b ? nil : .target
        case (.file(let a, _), .file(let b, _)) where a != b: .content
        case (.file, .file), (.directory, .directory): lower.metadata.matches(upper.metadata) ? nil : .metadata
        case (let a, let b) where a == b: lower.metadata.matches(upper.metadata) ? nil : .metadata
        default: .kind
        }
    }

    /// The directory of the union that `path` leads to through any links; nil when there is none.
    private func directory(at path: TreePath) -> TreePath? {
        LinkWalk.directory(from: .root, path.components) { slots[$0]?.entry.kind }
    }

    /// The directory that `path`, whose parent is a directory of the union, leads to through any links; nil when there is none.
    private func directory(behind path: TreePath) -> TreePath? {
        LinkWalk.directory(from: path.parent, [path.name]) { slots[$0]?.entry.kind }
    }

    /// The entries at `paths` with all their parents, and `whiteouts` with theirs.
    func closed(_ paths: Set<TreePath>, and whiteouts: [Entry]) -> Tree.Entries {
        var all = paths
        for path in paths.union(whiteouts.map(\.path)) {
            var parent = path.parent
            while all.insert(parent).inserted { parent = parent.parent }
        }
        var entries = Tree.Entries(all.lazy.compactMap { $0.isRoot ? nil : slots[$0]?.entry })
        // A whiteout whose path this same layer filled again is still needed: it hides what the layers below have there.
        entries.append(contentsOf: whiteouts)
        return entries.sorted
    }
}
