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
        let plan = TreeDirectories(tree)
        do {
            for directory in 1..<max(plan.count, 1) {
                try root.descriptor.makeDirectory(plan.entry(directory).path.relative, mode: 0o700)
            }
        } catch {
            throw LayerFSError.system(step: "make the root's directories", error)
        }
        let files = FileMaker(workspace.store, mode: mode, exactTime: exactTime, makesDevices: makesDevices)
        var total = MaterializeSummary()
        // In parts, so that what is looked up for them stays small.
        for part in plan.parts {
            let contents = part.lazy.flatMap { plan.children($0) }.compactMap { tree.entries.content(at: $0) }
            workspace.store.prepare(contents.lazy.filter { $0.size > 0 }.map(\.digest))
            let summaries = try pool.map(part.count) { index in
                try fill(part.lowerBound + index, of: plan, in: root, files, progress)
            }
            total = summaries.reduce(total, +)
        }
        try finish(plan, in: root)
        total.directories = plan.count - 1
        return total
    }

    /// Makes what lies directly in one directory.
    private func fill(
        _ directory: Int, of plan: TreeDirectories, in root: SharedDescriptor, _ files: FileMaker,
        _ progress: ProgressMeter
    ) throws -> MaterializeSummary {
        var summary = MaterializeSummary()
        let entry = plan.entry(directory)
        if plan.childCount(directory) == 0, !entry.canBeFinishedEarly { return summary }
        let opened = try open(entry, in: root)
        for position in plan.children(directory) {
            let child = plan.tree.entries[position]
            if child.isDirectory { continue }
            try files.make(child, in: opened, &summary)
            try progress.advance(by: max(child.size, 1))
        }
        if entry.canBeFinishedEarly { try finish(opened, entry.metadata) }
        return summary
    }

    private func open(_ directory: Entry, in root: SharedDescriptor) throws(SystemError) -> OwnedDescriptor {
        let relative = directory.path.isRoot ? "." : directory.path.relative
        return try root.descriptor.open(relative, [.readOnly, .directory, .noFollow])
    }

    /// Sets owners, modes and times of directories, the deepest first: setting those of a parent first could lock us out.
    private func finish(_ plan: TreeDirectories, in root: SharedDescriptor) throws(LayerFSError) {
        do {
            for number in (0..<plan.count).reversed() {
                let entry = plan.entry(number)
                if !entry.canBeFinishedEarly { try finish(open(entry, in: root), entry.metadata) }
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
}

extension Entry {
    /// Whether the owner, mode and time of this directory can be set as soon as it is filled: all directories in it are there already,
    /// and its mode lets us go on into them.
    fileprivate var canBeFinishedEarly: Bool {
        metadata.mode & 0o700 == 0o700 && (CurrentProcess.canSetOwners || metadata.extendedAttributes.isEmpty)
    }
}

extension TreeDirectories {
    /// Runs of directories with some thousand children.
    fileprivate var parts: [Range<Int>] {
        var parts: [Range<Int>] = []
        var (start, count) = (0, 0)
        for number in 0..<self.count {
            count += childCount(number)
            guard count >= 16_384 || number == self.count - 1 else { continue }
            parts.append(start..<(number + 1))
            (start, count) = (number + 1, 0)
        }
        return parts
    }
}
