public import Bytes
import LayerStore
import Posix
import SystemPackage
public import Trees

/// Makes a tree of the store a directory on disk.
///
/// Directories are made first, top down, and get their modes and times last, so that a read-only directory can be filled.
/// Between that, each directory's files are made by one worker, relative to its descriptor.
public struct Materialize: Sendable {
    private let workspace: Workspace
    private let mode: LinkMode
    private let exactTime: Bool
    private let makesDevices: Bool
    private let pool: WorkerPool

    /// - Parameters:
    ///   - mode: how files come from the store.
    ///   - exactTime: give every file the entry's time of modification; hard links otherwise share the inode's.
    ///   - makesDevices: make device nodes, which needs root. An image can come from anywhere, and a node of a disk is access to
    ///     the disk.
    public init(
        _ workspace: Workspace, link mode: LinkMode = .hard, exactTime: Bool = false, makesDevices: Bool = false,
        workers: Int? = nil
    ) {
        self.makesDevices = makesDevices
        self.workspace = workspace
        self.mode = mode
        self.exactTime = exactTime
        pool = WorkerPool(workers: workers)
    }

    /// Makes `tree` the directory `path`, which must not exist or be empty.
    ///
    /// - Throws: ``LayerFSError`` or what the store throws; nothing is left at `path` then.
    public func run(_ tree: Tree, at path: ByteString, progress: ProgressMeter = .none) throws -> MaterializeSummary {
        let target = try TargetDirectory(path)
        do {
            let summary = try workspace.store.namingDamage { try fill(target.root, with: tree, progress: progress) }
            try target.publish()
            return summary
        } catch {
            target.discard()
            throw error
        }
    }

    /// Fills the empty directory `root` with `tree`.
    func fill(
        _ root: SharedDescriptor, with tree: Tree, progress: ProgressMeter
    ) throws -> MaterializeSummary {
        workspace.store.prepare(tree)
        let plan = Plan(tree)
        do {
            for directory in plan.directories where !directory.entry.path.isRoot {
                try root.descriptor.makeDirectory(directory.entry.path.relative, mode: 0o700)
            }
        } catch {
            throw LayerFSError.system(step: "make the root's directories", error)
        }
        let files = FileMaker(workspace.store, mode: mode, exactTime: exactTime, makesDevices: makesDevices)
        let parts = try pool.map(plan.directories.count) { index in
            let directory = plan.directories[index]
            if directory.children.isEmpty { return MaterializeSummary() }
            let relative = directory.entry.path.isRoot ? "." : directory.entry.path.relative
            let opened = try root.descriptor.open(relative, [.readOnly, .directory, .noFollow])
            var summary = MaterializeSummary()
            for child in directory.children {
                try files.make(child, in: opened, &summary)
                try progress.advance(by: max(child.size, 1))
            }
            return summary
        }
        try finish(plan, in: root)
        var total = parts.reduce(MaterializeSummary(), +)
        total.directories = plan.directories.count - 1
        return total
    }

    /// Sets owners, modes and times of directories, the deepest first: setting those of a parent first could lock us out,
    /// and making anything in it later would change its time.
    private func finish(_ plan: Plan, in root: SharedDescriptor) throws(LayerFSError) {
        do {
            for directory in plan.directories.reversed() {
                let metadata = directory.entry.metadata
                let path = directory.entry.path.isRoot ? "." : directory.entry.path.relative
                let opened = try root.descriptor.open(path, [.readOnly, .directory, .noFollow])
                if CurrentProcess.canSetOwners { try opened.setOwner(uid: metadata.uid, gid: metadata.gid) }
                for attribute in metadata.extendedAttributes where CurrentProcess.canSetOwners {
                    try opened.setExtendedAttribute(attribute.name, to: attribute.value)
                }
                try opened.setPermissions(metadata.mode)
                try opened.setModified(metadata.modified.fileTime)
            }
        } catch {
            throw .system(step: "set the modes of the root's directories", error)
        }
    }

    /// The directories of a tree, parents first, each with what lies directly in it and is no directory.
    private struct Plan {
        struct Directory {
            var entry: Entry
            var children: [Entry] = []
        }

        var directories: [Directory] = []

        init(_ tree: Tree) {
            var positions: [TreePath: Int] = [:]
            for entry in tree.entries {
                if entry.isDirectory {
                    positions[entry.path] = directories.count
                    directories.append(Directory(entry: entry))
                } else if let position = positions[entry.path.parent] {
                    directories[position].children.append(entry)
                }
            }
        }
    }
}
