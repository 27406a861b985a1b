import Bytes
import Digests
import Loader
import Posix
import SystemPackage
import Trees

/// The union of planned entries, on its way to be a tree. They come in the order of their paths.
struct PlanUnion {
    private var entries = Tree.Entries()
    /// Those of them that get the time of the newest file.
    private var timeless: [UInt32] = []
    /// The time of the newest file.
    private var newest: Int64 = 0
    /// Directories that nothing asked for by itself, where they come too late to be in order.
    private var late: [TreePath: Entry] = [:]
    /// Where the last entry is that was asked for, and who did.
    private var last: (index: Int, asker: Asker)?
    private var conflicts: [SourceConflict] = []
    /// What lies in the place of a directory, said once.
    private var blamed: Set<TreePath> = []
    /// The directory whose parents were looked at last.
    private var parent: TreePath?
    /// Directories that the last entry may lie in, each below the one before it.
    private var open: [TreePath] = []
    private let directories: HostDirectories
    private let plan: PlanEntries

    /// Who asked for an entry.
    private enum Asker {
        case origin(PlanOrigin)
        /// That of the plan's entry there. Seldom anybody wants to know, and what it says is counted.
        case entry(Int)
    }

    /// - Parameter plan: all that is to be added, to say who asked for it.
    init(_ directories: HostDirectories, of plan: PlanEntries) {
        (self.directories, self.plan) = (directories, plan)
    }

    /// Adds an entry. One that differs from what has its path already is a conflict, unless only the time differs.
    ///
    /// - Parameter isTimeless: whether it gets the time of the newest file.
    /// - Throws: `SystemError` when the host's directories cannot be examined.
    mutating func add(_ entry: Entry, _ origin: PlanOrigin, isTimeless: Bool) throws(SystemError) {
        // Of two that differ in their times alone the second counts as well.
        if case .file = entry.kind, !isTimeless { newest = max(newest, entry.metadata.modified.seconds) }
        if let last, entry.path.withParts({ entries.isPath(in: $0, named: $1, at: last.index) }) {
            if let reason = Self.difference(entries[last.index], entry) {
                let first = self.origin(of: last.asker)
                conflicts.append(
                    SourceConflict(path: entry.path, first: "\(first)", second: "\(origin)", reason: reason))
            }
            return
        }
        if !entry.path.isRoot {
            if entries.isEmpty { append(try directories.entry(.root), isTimeless: true) }
            // Neighbours have the same parent mostly.
            if !(parent.map { entry.path.isDirectly(in: $0) } ?? false) {
                try addParents(of: entry.path, origin)
                parent = entry.path.parent
            }
        }
        last = (entries.count, .origin(origin))
        append(entry, isTimeless: isTimeless)
    }

    /// The same of a file that a walk found, whose content is known: nearly all of a directory that was added before.
    ///
    /// - Parameter plan: the same as that of the union.
    mutating func add(_ position: Int, of plan: PlanEntries, digest: Digest, _ size: UInt64) throws(SystemError) {
        let isAdded = plan.withWalkedFile(at: position) { directory, name, metadata in
            // The first of its directory, and what may be a conflict, go the other way.
            guard let parent, let last = last?.index,
                parent.withDirectoryText({ ByteComparison.areEqual($0, directory) }),
                !entries.isPath(in: directory, named: name, at: last)
            else { return false }
            let file = PlainFile(
                digest: digest, size: size, mode: metadata.mode, uid: metadata.uid, gid: metadata.gid,
                modified: metadata.modified)
            entries.append(file, in: directory, named: name)
            newest = max(newest, file.modified.seconds)
            return true
        }
        if isAdded {
            last = (entries.count - 1, .entry(position))
        } else {
            try add(plan.entry(at: position, digest: digest, size), plan.origin(at: position), isTimeless: false)
        }
    }

    private func origin(of asker: Asker) -> PlanOrigin {
        switch asker {
        case .origin(let origin): origin
        case .entry(let position): plan.origin(at: position)
        }
    }

    private mutating func append(_ entry: Entry, isTimeless: Bool) {
        if isTimeless { timeless.append(UInt32(entries.count)) }
        if entry.isDirectory { open.append(entry.path) }
        entries.append(entry)
    }

    /// Whether `directory` is a directory that was just added, or one above that: so it is mostly, and nothing has to be looked for.
    private mutating func isOpen(_ directory: TreePath) -> Bool {
        while let last = open.last {
            if last == directory { return true }
            if directory.isWithin(last) { return false }
            open.removeLast()
        }
        return false
    }

    /// The tree of the entries, with the directories that they lie in and the links of a merged /usr.
    ///
    /// A usr-merged host gives a usr-merged layer: where it has `/bin -> usr/bin`, and the layer something in `/usr/bin`,
    /// the link comes along, since scripts and people say `/bin/sh` (docs/decisions/0003).
    ///
    /// - Parameter mergesUsr: false where nothing is to be added that was not there.
    /// - Throws: ``LayerFSError/conflictingSources(_:)``; `SystemError` when the host's directories cannot be examined.
    consuming func tree(mergesUsr: Bool) throws -> Tree {
        let time = Timestamp(seconds: newest)
        if entries.isEmpty { append(try directories.entry(.root), isTimeless: true) }
        if !conflicts.isEmpty {
            throw LayerFSError.conflictingSources(conflicts.sorted { ($0.path, $0.second) < ($1.path, $1.second) })
        }
        for link in mergesUsr ? try UsrMerge.links(of: directories.root.path) : [] where kind(link.path) == nil {
            guard kind(link.directory) == .directory else { continue }
            let metadata = Metadata(mode: 0o777)
            late[link.path] = Entry(path: link.path, metadata: metadata, kind: .symlink(target: link.target))
        }
        for position in timeless { entries.setModified(time, at: Int(position)) }
        for var entry in late.values {
            entry.metadata.modified = time
            entries.append(entry)
        }
        do {
            return try Tree(entries)
        } catch {
            throw LayerFSError.inconsistentTree(error)
        }
    }

    /// What lies at `path` so far; nil for nothing.
    private func kind(_ path: TreePath) -> Entry.Kind? {
        late[path]?.kind ?? entries.index(sorted: path).map { entries.kind(at: $0) }
    }

    private mutating func addParents(of path: TreePath, _ origin: PlanOrigin) throws(SystemError) {
        var missing: [TreePath] = []
        var directory = path.parent
        // The root is there.
        search: while !isOpen(directory) {
            switch kind(directory) {
            case .directory?: break search
            case nil:
                missing.append(directory)
                directory = directory.parent
            case _?:
                if blamed.insert(directory).inserted {
                    let first = plan.first { $0.path == directory }.map { "\($0.origin)" } ?? ""
                    conflicts.append(
                        SourceConflict(path: directory, first: first, second: "\(origin)", reason: .notDirectory))
                }
                break search
            }
        }
        for directory in missing.reversed() {
            let entry = try directories.entry(directory)
            if entries.last.map({ $0.path < directory }) ?? true {
                append(entry, isTimeless: true)
            } else {
                late[directory] = entry
            }
        }
    }

    /// How two entries of one path differ in what counts; nil when they agree.
    private static func difference(_ first: Entry, _ second: Entry) -> SourceConflict.Reason? {
        switch (first.kind, second.kind) {
        case (.file(let a, _), .file(let b, _)) where a != b: .content
        case (.symlink(let a), .symlink(let b)) where a != b: .target
        case (.symlink, .symlink): nil
        case (.file, .file): first.metadata.matches(second.metadata) ? nil : .metadata
        default: first.kind != second.kind ? .kind : first.metadata.matches(second.metadata) ? nil : .metadata
        }
    }
}

extension TreePath {
    /// Calls `body` with the path as that of the directory that others lie in: without a slash at its end.
    fileprivate func withDirectoryText<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<(isRoot ? 0 : $0.count)])) }
    }
}
