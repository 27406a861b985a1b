import Bytes
import Digests
import LayerStore
import Loader
import Posix
import SystemPackage
import Trees

/// A directory of this machine with all below it, as entries of a plan.
///
/// Every directory is opened below the first one without following a link, so none that is put there meanwhile leads
/// elsewhere; each worker has one open at a time. Links are kept, two names of one file are two files, and devices and sockets, which
/// mean nothing elsewhere, are passed over; devices only unless the walk is exact.
struct DirectoryWalk {
    private let files: HostFiles
    private let filter: PlanFilter
    private let change: MetadataChange
    private let origin: PlanOrigin
    private let pool: WorkerPool
    private(set) var entries = PlanEntries()
    /// Those that walks began in.
    private(set) var directories: [Provenance.Directory] = []
    private(set) var skipped = SkippedFiles()
    /// Whether devices, times, and attributes of directories are taken.
    var isExact = false

    init(
        _ files: HostFiles, _ filter: PlanFilter, _ change: MetadataChange, _ origin: PlanOrigin, workers: Int? = nil
    ) {
        (self.files, self.filter, self.change, self.origin) = (files, filter, change, origin)
        pool = WorkerPool(workers: workers)
    }

    /// Walks the directory that `mapping` names.
    mutating func walk(_ mapping: PathMapping) throws {
        let found = try files.find(mapping.source)
        guard found.status.kind == .directory else {
            throw LayerFSError.unusableSource(mapping.source, reason: "it is no directory; take it with --file")
        }
        if mapping.destination == nil { entries += try files.way(to: found, origin) }
        try walk(found, at: mapping.destination.map { files.placed($0) } ?? found.path)
    }

    /// Walks the directory `found`, which is to be `path` in the layer.
    mutating func walk(_ found: ResolvedPath, at path: TreePath) throws {
        guard !filter.excludes(path), filter.admits(found.path) else { return }
        let host = files.root.hostPath(of: found.path)
        directories.append(Provenance.Directory(path: path, source: host, origin: origin.provenanceText))
        let reader = DirectoryReader(
            filter: filter.forWalk, usrMerge: files.usrMerge, change: change, origin: origin, isExact: isExact,
            root: files.root.path)
        // The root of a layer is like the host's, whatever directory its entries lie in here.
        if !path.isRoot { entries.append(reader.entry(found.status, .directory, found.path, at: path)) }
        let index = path.isRoot ? nil : entries.indices.last
        do {
            let base = SharedDescriptor(try files.root.open(found, [.readOnly, .directory]))
            var pending = [PendingDirectory(relative: ".", source: found.path, path: path, index: index)]
            let reading = OrderedWork<[(PendingDirectory, DirectoryReader.Contents)], any Error>(pool)
            // In the order in which they were met, whoever reads them: those of one depth after those of the one before.
            var begun = 0
            while begun < pending.count || reading.count > 0 {
                while begun < pending.count, reading.count < max(Self.window, 2 * pool.workers) {
                    // Several at once, where there are many: handing one over takes a part of the time that it takes to read one.
                    let part = Array(pending[begun...].prefix(min(Self.partSize, 1 + (pending.count - begun) / 8)))
                    begun += part.count
                    reading.add {
                        try Interruption.check()
                        return try part.map { ($0, try reader.read($0, in: base)) }
                    }
                }
                // What was handed over need not be kept to the end of the walk; seldom, since what is left is moved.
                if begun > pending.count / 2 {
                    pending.removeFirst(begun)
                    begun = 0
                }
                for (place, contents) in try reading.next() ?? [] { add(contents, at: place, &pending) }
            }
        } catch let error as SystemError {
            throw LayerFSError.system(step: "walk \(found.literal)", error)
        }
    }

    /// How many parts are read ahead of what is packed, at least, and how many directories are in one.
    private static let (window, partSize) = (32, 16)

    /// Adds what was found in a directory; the directories in it are still to be read.
    private mutating func add(
        _ contents: DirectoryReader.Contents, at place: PendingDirectory, _ pending: inout [PendingDirectory]
    ) {
        if let index = place.index, let attributes = contents.attributes,
            case .node(let kind, let metadata, let source) = entries[index].content
        {
            let whole = Metadata(
                mode: metadata.mode, uid: metadata.uid, gid: metadata.gid, modified: metadata.modified,
                extendedAttributes: attributes)
            var entry = entries[index]
            entry.content = .node(kind, whole, source: source)
            entries.replace(index, by: entry)
        }
        filter.add(contents.denials)
        skipped.add(contents.skipped)
        entries.append(contents.files, change, origin)
        for node in contents.nodes {
            entries.append(node.entry)
            guard var directory = node.directory else { continue }
            directory.index = entries.indices.last
            pending.append(directory)
        }
    }
}

/// What a walk left out, to be said in one line.
struct SkippedFiles: Sendable {
    private var count = 0
    private var first: (path: TreePath, kind: FileKind)?

    mutating func add(_ path: TreePath, _ kind: FileKind) {
        count += 1
        if first == nil { first = (path, kind) }
    }

    mutating func add(_ other: SkippedFiles) {
        count += other.count
        first = first ?? other.first
    }

    /// nil when nothing was.
    var text: String? {
        guard let first else { return nil }
        let kind = first.kind == .socket ? "a socket" : "a device"
        return "left out \(first.path), \(kind)" + (count > 1 ? ", and \(count - 1) more sockets or devices" : "")
    }
}
