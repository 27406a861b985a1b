public import Bytes
import Digests
import LayerStore
import Posix
import Synchronization
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
        let files = FileMaker(workspace.store, mode: mode, exactTime: exactTime, makesDevices: makesDevices)
        let parts = plan.parts
        // What is known of the contents of a part is looked up by one thread while others are busy with what comes before.
        let links = Mutex<ContentLinks?>(nil)
        @Sendable func lookUp(_ part: Int) {
            guard part < parts.count else { return }
            let found = workspace.store.links(to: plan.contents(of: parts[part]))
            links.withLock { $0 = found }
        }
        try WorkerPool(workers: 2).forEach(2) { task in
            if task == 0 { lookUp(0) } else { try makeDirectories(plan, in: root) }
        }
        let ownership = try Ownership(root.descriptor)
        var total = MaterializeSummary()
        for (number, part) in parts.enumerated() {
            guard let links = links.withLock({ $0 }) else { break }
            links.use()
            let summaries = try WorkerPool(workers: pool.workers + 1).map(part.count + 1) { index in
                guard index > 0 else {
                    lookUp(number + 1)
                    return MaterializeSummary()
                }
                let place = Place(directory: part.lowerBound + index - 1, root: root, ownership: ownership)
                return try fill(place, of: plan, files, links, progress)
            }
            total = summaries.reduce(total, +)
        }
        try finish(plan, in: root)
        total.directories = plan.count - 1
        return total
    }

    /// Makes all directories, those of one depth after those of the one before, each by whoever makes what else lies beside it.
    private func makeDirectories(_ plan: TreeDirectories, in root: SharedDescriptor) throws(LayerFSError) {
        do {
            var parents = plan.count > 1 ? [0] : []
            while !parents.isEmpty {
                let made = try pool.map(parents.count) { [parents] (index) throws(SystemError) in
                    try makeDirectories(in: parents[index], of: plan, root)
                }
                parents = made.flatMap { $0 }
            }
        } catch {
            throw .system(step: "make the root's directories", error)
        }
    }

    /// - Returns: those of the directories in `directory` that have directories themselves.
    private func makeDirectories(
        in directory: Int, of plan: TreeDirectories, _ root: SharedDescriptor
    ) throws(SystemError) -> [Int] {
        let opened = try open(plan.entry(directory), in: root)
        var parents: [Int] = []
        for number in plan.subdirectories(directory) {
            let position = plan.position(number)
            let metadata = plan.tree.entries.metadata(at: position)
            // Nobody else may write to it before all in it is there. What the umask takes away is given when it is filled.
            let mode = metadata.canBeFinishedEarly ? metadata.mode & 0o755 : 0o700
            let made = plan.tree.entries.withName(at: position) { name -> Result<Void, SystemError> in
                do throws(SystemError) {
                    return .success(try opened.makeDirectory(name, mode: mode))
                } catch {
                    return .failure(error)
                }
            }
            try made.get()
            if !plan.subdirectories(number).isEmpty { parents.append(number) }
        }
        return parents
    }

    /// One directory that is filled.
    private struct Place {
        var directory: Int
        var root: SharedDescriptor
        var ownership: Ownership
    }

    /// Makes what lies directly in one directory.
    private func fill(
        _ place: Place, of plan: TreeDirectories, _ files: FileMaker, _ links: ContentLinks, _ progress: ProgressMeter
    ) throws -> MaterializeSummary {
        var summary = MaterializeSummary()
        let entry = plan.entry(place.directory)
        if plan.childCount(place.directory) == 0, !entry.metadata.canBeFinishedEarly { return summary }
        let opened = try open(entry, in: place.root)
        let status = try opened.status()
        let maker = files.making(plan.tree.entries, links, place.ownership.isGiven(to: status))
        var done: UInt64 = 0
        for (count, position) in plan.children(place.directory).enumerated() {
            if plan.tree.entries.isDirectory(at: position) { continue }
            done &+= try maker.make(position, in: opened, &summary)
            // Whoever watches need not be told of each.
            if count & 63 == 63 {
                try progress.advance(by: done)
                done = 0
            }
        }
        try progress.advance(by: done)
        if entry.metadata.canBeFinishedEarly { try finish(opened, status, entry.metadata) }
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
                if entry.metadata.canBeFinishedEarly { continue }
                let opened = try open(entry, in: root)
                try finish(opened, opened.status(), entry.metadata)
            }
        } catch {
            throw .system(step: "set the modes of the root's directories", error)
        }
    }

    /// - Parameter status: of the directory; what it has already is not set.
    private func finish(
        _ directory: borrowing OwnedDescriptor, _ status: FileStatus, _ metadata: Metadata
    ) throws(SystemError) {
        var permissions = status.permissions
        if CurrentProcess.canSetOwners, (status.uid, status.gid) != (metadata.uid, metadata.gid) {
            try directory.setOwner(uid: metadata.uid, gid: metadata.gid)
            // Some file systems take permissions away then.
            permissions = .max
        }
        for attribute in metadata.extendedAttributes where CurrentProcess.canSetOwners {
            try directory.setExtendedAttribute(attribute.name, to: attribute.value)
            // One of them may be a list of who else has access, which changes permissions.
            permissions = .max
        }
        if permissions != metadata.mode { try directory.setPermissions(metadata.mode) }
        try directory.setModified(metadata.modified.fileTime)
    }
}

extension Metadata {
    /// Whether the owner, mode and time of a directory with this can be set as soon as it is filled: all directories in it are there
    /// already, and its mode lets us go on into them.
    fileprivate var canBeFinishedEarly: Bool {
        mode & 0o700 == 0o700 && (CurrentProcess.canSetOwners || extendedAttributes.isEmpty)
    }
}

extension TreeDirectories {
    /// The contents of the files that lie directly in these directories.
    fileprivate func contents(of part: Range<Int>) -> [Digest] {
        var digests: [Digest] = []
        for directory in part {
            for position in children(directory) {
                if let content = tree.entries.content(at: position), content.size > 0 { digests.append(content.digest) }
            }
        }
        return digests
    }

    /// Runs of directories: the first has some thousand children, so that linking begins soon, and each that follows twice as many
    /// as the one before, up to a limit. What is looked up for many at once is found in the order in which the index has it, several
    /// on a page, where few are found on a page each.
    fileprivate var parts: [Range<Int>] {
        var parts: [Range<Int>] = []
        var (start, count, limit) = (0, 0, 16_384)
        for number in 0..<self.count {
            count += childCount(number)
            guard count >= limit || number == self.count - 1 else { continue }
            parts.append(start..<(number + 1))
            (start, count, limit) = (number + 1, 0, min(2 * limit, 131_072))
        }
        return parts
    }
}

/// Who owns what this process makes, as the file system of a root has it.
struct Ownership: Sendable {
    private let uid = CurrentProcess.effectiveUser
    private let gid = CurrentProcess.effectiveGroup
    /// Whether the root belongs to this process: some file systems give files to others, or all to one.
    private let isUsual: Bool

    init(_ root: borrowing OwnedDescriptor) throws(SystemError) {
        let status = try root.status()
        isUsual = status.uid == uid && status.gid == gid
    }

    /// The owner of what is made in the directory with this `status`; nil where that cannot be said. A directory may give its group to all
    /// in it (inode(7), S_ISGID; mount(8), grpid).
    func isGiven(to status: FileStatus) -> (uid: UInt32, gid: UInt32)? {
        isUsual && status.gid == gid ? (uid, gid) : nil
    }
}
