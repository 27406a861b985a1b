import Bytes
import Loader
import Posix
import SystemPackage
import Trees

/// The union of planned entries, on its way to be a tree.
struct PlanUnion {
    private var slots: [TreePath: (entry: Entry, origin: PlanOrigin)] = [:]
    private var conflicts: [SourceConflict] = []

    /// Adds an entry. One that differs from what has its path already is a conflict, unless only the time differs.
    mutating func add(_ entry: Entry, _ origin: PlanOrigin) {
        guard let there = slots[entry.path] else {
            slots[entry.path] = (entry, origin)
            return
        }
        if let reason = Self.difference(there.entry, entry) {
            conflicts.append(
                SourceConflict(
                    path: entry.path, first: "\(there.origin)", second: "\(origin)", reason: reason))
        }
    }

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
        let sorted = slots.values.sorted { $0.entry.path < $1.entry.path }
        // Neighbours have the same parent mostly.
        var parent: TreePath?
        for slot in sorted where parent.map({ !slot.entry.path.isDirectly(in: $0) }) ?? true {
            try addParents(of: slot, directories, &checked)
            parent = slot.entry.path.parent
        }
        if !conflicts.isEmpty {
            throw LayerFSError.conflictingSources(conflicts.sorted { ($0.path, $0.second) < ($1.path, $1.second) })
        }
        for link in mergesUsr ? try UsrMerge.links(of: directories.root.path) : [] where slots[link.path] == nil {
            guard slots[link.directory]?.entry.isDirectory == true else { continue }
            let metadata = Metadata(mode: 0o777, modified: directories.time)
            let entry = Entry(path: link.path, metadata: metadata, kind: .symlink(target: link.target))
            slots[link.path] = (entry, .programs)
        }
        // Most plans have all directories but the root: they are in order.
        var entries = (slots.count == sorted.count ? sorted : Array(slots.values)).map(\.entry)
        if slots[.root] == nil { entries.insert(try directories.entry(.root), at: 0) }
        do {
            return try Tree(entries)
        } catch {
            throw LayerFSError.inconsistentTree(error)
        }
    }

    private mutating func addParents(
        of slot: (entry: Entry, origin: PlanOrigin), _ directories: HostDirectories, _ checked: inout Set<TreePath>
    ) throws {
        var path = slot.entry.path.parent
        while checked.insert(path).inserted {
            defer { path = path.parent }
            guard let there = slots[path] else {
                slots[path] = (try directories.entry(path), slot.origin)
                continue
            }
            guard there.entry.isDirectory else {
                conflicts.append(
                    SourceConflict(
                        path: path, first: "\(there.origin)", second: "\(slot.origin)", reason: .notDirectory))
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
