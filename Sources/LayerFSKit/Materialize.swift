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
        let plan = Plan(tree)
        do {
            for directory in plan.directories where !directory.entry.path.isRoot {
                try root.descriptor.makeDirectory(directory.entry.path.relative, mode: 0o700)
            }
        } catch {
            throw LayerFSError.system(step: "make the root's directories", error)
        }
        let files = FileMaker(workspace.store, mode: mode, exactTime: exactTime, makesDevices: makesDevices)
        var total = MaterializeSummary()
        // In parts, so that what is looked up for them stays small.
        for part in plan.parts {
            workspace.store.prepare(plan.directories[part].lazy.map(\.children).joined())
            let summaries = try pool.map(part.count) { index in
                try fill(plan.directories[part.lowerBound + index], in: root, files, progress)
            }
            total = summaries.reduce(total, +)
        }
        try finish(plan.directories.filter { !$0.canBeFinishedEarly }, in: root)
        total.directories = plan.directories.count - 1
        return total
    }

    /// Makes what lies directly in one directory.
    private func fill(
        _ directory: Plan.Directory, in root: SharedDescriptor, _ files: FileMaker, _ progress: ProgressMeter
    ) throws -> MaterializeSummary {
        var summary = MaterializeSummary()
        if directory.children.isEmpty, !directory.canBeFinishedEarly { return summary }
        let opened = try open(directory, in: root)
        for child in directory.children {
            try files.make(child, in: opened, &summary)
            try progress.advance(by: max(child.size, 1))
        }
        if directory.canBeFinishedEarly { try finish(opened, directory.entry.metadata) }
        return summary
    }

    private func open(_ directory: Plan.Directory, in root: SharedDescriptor) throws(SystemError) -> OwnedDescriptor {
        let relative = directory.entry.path.isRoot ? "." : directory.entry.path.relative
        return try root.descriptor.open(relative, [.readOnly, .directory, .noFollow])
    }

    /// Sets owners, modes and times of directories, the deepest first: setting those of a parent first could lock us out.
    private func finish(_ directories: [Plan.Directory], in root: SharedDescriptor) throws(LayerFSError) {
        do {
            for directory in directories.reversed() {
                try finish(open(directory, in: root), directory.entry.metadata)
            }
        } catch {
            throw .system(step: "set the modes of the root's directories", error)
        }
    }

    private func finish(
        _ directory: borrowing OwnedDescriptor, _ metadata: Metadata
    ) throws(SystemError) {
        if CurrentProcess.canSetOwners { try directory.setOwner(uid: metadata.uid, gid: metadata.gid) }
        for attribute in metadata.extendedAttributes where CurrentProcess.canSetOwners {
            try directory.setExtendedAttribute(attribute.name, to: attribute.value)
        }
        try directory.setPermissions(metadata.mode)
        try directory.setModified(metadata.modified.fileTime)
    }

    /// The directories of a tree, parents first, each with what lies directly in it and is no directory.
    private struct Plan {
        struct Directory {
            var entry: Entry
            var children: [Entry] = []

            /// Whether its owner, mode and time can be set as soon as it is filled: all directories in it are there already, and its
            /// mode lets us go on into them.
            var canBeFinishedEarly: Bool {
                entry.metadata.mode & 0o700 == 0o700
                    && (CurrentProcess.canSetOwners || entry.metadata.extendedAttributes.isEmpty)
            }
        }

        var directories: [Directory] = []

        /// Runs of directories with some thousand children.
        var parts: [Range<Int>] {
            var parts: [Range<Int>] = []
            var (start, count) = (0, 0)
            for (index, directory) in directories.enumerated() {
                count += directory.children.count
                guard count >= 16_384 || index == directories.count - 1 else { continue }
                parts.append(start..<(index + 1))
                (start, count) = (index + 1, 0)
            }
            return parts
        }

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
