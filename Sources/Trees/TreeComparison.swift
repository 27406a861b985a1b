public import Bytes

/// What may differ between two entries of one path.
public enum EntryAspect: String, Hashable, Sendable, Codable, CaseIterable {
    case type
    /// Of a regular file.
    case content
    /// Of a symbolic link.
    case target
    /// Of a device node.
    case device
    case mode
    case owner
    case time
    case xattrs
}

/// Two trees side by side, path by path: each difference with what it is in.
///
/// The roots themselves are left out: an image says nothing of its root.
public struct TreeComparison: Hashable, Sendable {
    /// A path that at least one of the trees has.
    public struct Difference: Hashable, Sendable {
        public var path: TreePath
        /// nil when only the second tree has the path.
        public var old: Entry?
        /// nil when only the first tree has the path.
        public var new: Entry?
        /// What the two entries differ in; empty when there is one only.
        public var aspects: [EntryAspect]
    }

    /// Sorted by path.
    public private(set) var differences: [Difference] = []

    /// - Parameters:
    ///   - wholeSeconds: leave out fractions of seconds, which layers of images do not have.
    ///   - ignored: what is not to be compared.
    public init(from old: Tree, to new: Tree, wholeSeconds: Bool = false, ignoring ignored: Set<EntryAspect> = []) {
        let (left, right) = (old.entries.dropFirst(), new.entries.dropFirst())
        var (i, j) = (left.startIndex, right.startIndex)
        while i < left.endIndex || j < right.endIndex {
            if j == right.endIndex || i < left.endIndex && left[i].path < right[j].path {
                differences.append(Difference(path: left[i].path, old: left[i], new: nil, aspects: []))
                i += 1
            } else if i == left.endIndex || right[j].path < left[i].path {
                differences.append(Difference(path: right[j].path, old: nil, new: right[j], aspects: []))
                j += 1
            } else {
                let aspects = Self.aspects(left[i], right[j], wholeSeconds).filter { !ignored.contains($0) }
                if !aspects.isEmpty {
                    differences.append(
                        Difference(path: left[i].path, old: left[i], new: right[j], aspects: aspects))
                }
                (i, j) = (i + 1, j + 1)
            }
        }
    }

    private static func aspects(_ old: Entry, _ new: Entry, _ wholeSeconds: Bool) -> [EntryAspect] {
        var aspects: [EntryAspect] = []
        switch (old.kind, new.kind) {
        case (let a, let b) where a == b: break
        case (.file, .file): aspects.append(.content)
        case (.symlink, .symlink): aspects.append(.target)
        case (.characterDevice, .characterDevice), (.blockDevice, .blockDevice): aspects.append(.device)
        default: aspects.append(.type)
        }
        let (before, after) = (old.metadata, new.metadata)
        // The mode of a link means nothing, and each file system and archive has its own idea of it.
        let isLink = if case .symlink = new.kind { true } else { false }
        if before.mode != after.mode, !isLink { aspects.append(.mode) }
        if (before.uid, before.gid) != (after.uid, after.gid) { aspects.append(.owner) }
        let isRetimed =
            wholeSeconds ? before.modified.seconds != after.modified.seconds : before.modified != after.modified
        if isRetimed { aspects.append(.time) }
        if before.extendedAttributes != after.extendedAttributes { aspects.append(.xattrs) }
        return aspects
    }
}
