import Bytes
import Loader
import Posix
import SystemPackage
import Trees

/// The union of planned entries, on its way to be a tree. They come in the order of their paths.
struct PlanUnion {
    private var entries = Tree.Entries()
    /// Those of them that get the time of the newest file.
    private var timeless: [UInt32] = []
    /// Directories that nothing asked for by itself, where they come too late to be in order.
    private var late: [TreePath: Entry] = [:]
    /// The last entry that was asked for.
    private var last: (entry: Entry, origin: PlanOrigin)?
    private var conflicts: [SourceConflict] = []
    /// What lies in the place of a directory, said once.
    private var blamed: Set<TreePath> = []
    /// The directory whose parents were looked at last.
    private var parent: TreePath?
    private let directories: HostDirectories
    private let originOf: (TreePath) -> PlanOrigin?

    /// - Parameter originOf: who asked for a path first.
    init(_ directories: HostDirectories, originOf: @escaping (TreePath) -> PlanOrigin?) {
        (self.directories, self.originOf) = (directories, originOf)
    }

    /// Adds an entry. One that differs from what has its path already is a conflict, unless only the time differs.
    ///
    /// - Parameter isTimeless: whether it gets the time of the newest file.
    /// - Throws: `SystemError` when the host's directories cannot be examined.
    mutating func add(_ entry: Entry, _ origin: PlanOrigin, isTimeless: Bool) throws(SystemError) {
        if let last, last.entry.path == entry.path {
            if let reason = Self.difference(last.entry, entry) {
                conflicts.append(
                    SourceConflict(
                        path: entry.path, first: "\(last.origin)", second: "\(origin)", reason: reason))
            }
            return
        }
        last = (entry, origin)
        if !entry.path.isRoot {
            if entries.isEmpty { append(try directories.entry(.root), isTimeless: true) }
            // Neighbours have the same parent mostly.
            if !(parent.map { entry.path.isDirectly(in: $0) } ?? false) {
                try addParents(of: entry.path, origin)
                parent = entry.path.parent
            }
        }
        append(entry, isTimeless: isTimeless)
    }

    private mutating func append(_ entry: Entry, isTimeless: Bool) {
        if isTimeless { timeless.append(UInt32(entries.count)) }
        entries.append(entry)
    }

    /// The tree of the entries, with the directories that they lie in and the links of a merged /usr.
    ///
    /// A usr-merged host gives a usr-merged layer: where it has `/bin -> usr/bin`, and the layer something in `/usr/bin`,
    /// the link comes along, since scripts and people say `/bin/sh` (docs/decisions/0003).
    ///
    /// - Parameters:
    ///   - time: that of the newest file.
    ///   - mergesUsr: false where nothing is to be added that was not there.
    /// - Throws: ``LayerFSError/conflictingSources(_:)``; `SystemError` when the host's directories cannot be examined.
    consuming func tree(time: Timestamp, mergesUsr: Bool) throws -> Tree {
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
        search: while true {
            switch kind(directory) {
            case .directory?: break search
            case nil:
                missing.append(directory)
                directory = directory.parent
            case _?:
                if blamed.insert(directory).inserted {
                    let first = originOf(directory).map { "\($0)" } ?? ""
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
