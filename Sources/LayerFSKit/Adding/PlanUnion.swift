import Bytes
import Loader
import Posix
import SystemPackage
import Trees

/// The union of planned entries, on its way to be a tree.
struct PlanUnion {
    private var entries: [Entry] = []
    /// Of each entry.
    private var origins: [PlanOrigin] = []
    private var places: [TreePath: Int] = [:]
    private var conflicts: [SourceConflict] = []

    /// Adds an entry. One that differs from what has its path already is a conflict, unless only the time differs.
    mutating func add(_ entry: Entry, _ origin: PlanOrigin) {
        guard let place = places[entry.path] else { return append(entry, origin) }
        if let reason = Self.difference(entries[place], entry) {
            conflicts.append(
                SourceConflict(path: entry.path, first: "\(origins[place])", second: "\(origin)", reason: reason))
        }
    }

    private mutating func append(_ entry: Entry, _ origin: PlanOrigin) {
        places[entry.path] = entries.count
        entries.append(entry)
        origins.append(origin)
    }

    /// Which entries there are, in the order of their paths.
    private var order: [Int] { entries.indices.sorted { entries[$0].path < entries[$1].path } }

    /// The entries with the directories that they lie in and the links of a merged /usr.
    ///
    /// A usr-merged host gives a usr-merged layer: where it has `/bin -> usr/bin`, and the layer something in `/usr/bin`,
    /// the link comes along, since scripts and people say `/bin/sh` (docs/decisions/0003).
    ///
    /// - Parameter mergesUsr: false where nothing is to be added that was not there.
    /// - Throws: ``LayerFSError/conflictingSources(_:)``; `SystemError` when the host's directories cannot be examined.
    consuming func tree(directories: HostDirectories, mergesUsr: Bool = true) throws -> Tree {
        // In order, so that of several entries below a link always the same one is named.
        var checked: Set<TreePath> = [.root]
        var sorted = order
        // Neighbours have the same parent mostly.
        var parent: TreePath?
        for index in sorted {
            let path = entries[index].path
            if let parent, path.isDirectly(in: parent) { continue }
            try addParents(of: path, origins[index], directories, &checked)
            parent = path.parent
        }
        if !conflicts.isEmpty {
            throw LayerFSError.conflictingSources(conflicts.sorted { ($0.path, $0.second) < ($1.path, $1.second) })
        }
        for link in mergesUsr ? try UsrMerge.links(of: directories.root.path) : [] where places[link.path] == nil {
            guard let place = places[link.directory], entries[place].isDirectory else { continue }
            let metadata = Metadata(mode: 0o777, modified: directories.time)
            append(Entry(path: link.path, metadata: metadata, kind: .symlink(target: link.target)), .programs)
        }
        if places[.root] == nil { append(try directories.entry(.root), .programs) }
        do {
            // Most plans have all directories but the root, which is the first.
            if entries.count == sorted.count + 1, entries.last?.path.isRoot == true {
                sorted.insert(sorted.count, at: 0)
            } else if entries.count != sorted.count {
                sorted = order
            }
            return try Tree(sorted.map { entries[$0] })
        } catch {
            throw LayerFSError.inconsistentTree(error)
        }
    }

    private mutating func addParents(
        of path: TreePath, _ origin: PlanOrigin, _ directories: HostDirectories, _ checked: inout Set<TreePath>
    ) throws {
        var path = path.parent
        while checked.insert(path).inserted {
            defer { path = path.parent }
            guard let place = places[path] else {
                append(try directories.entry(path), origin)
                continue
            }
            guard entries[place].isDirectory else {
                conflicts.append(
                    SourceConflict(path: path, first: "\(origins[place])", second: "\(origin)", reason: .notDirectory))
                return
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

/// The directories of the host, which those of a layer are like.
struct HostDirectories {
    let root: SourceRoot
    /// What all directories of the layer have as their time.
    let time: Timestamp

    /// - Parameter root: where the root of the layer's files lies on this machine; no link leads out of it.
    init(root: ByteString, time: Timestamp) throws(SystemError) {
        self.root = try SourceRoot(root)
        self.time = time
    }

    /// The directory `path` as the host has it; where it has none, one of root's that everybody may read.
    func entry(_ path: TreePath) throws(SystemError) -> Entry {
        var metadata = Metadata(mode: 0o755, modified: time)
        do {
            let status = try root.resolve(path.bytes).status
            if status.kind == .directory {
                (metadata.mode, metadata.uid, metadata.gid) = (status.permissions, status.uid, status.gid)
            }
        } catch {
            switch error.reason {
            case .notFound, .notDirectory, .tooManyLinks, .invalidName: break
            case .permissionDenied: throw SystemError("stat", root.hostPath(of: path), .permissionDenied)
            case .failed(let errno): throw SystemError("stat", root.hostPath(of: path), errno)
            }
        }
        return Entry(path: path, metadata: metadata, kind: .directory)
    }
}
