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
            // Those of one depth after those of the one before: in the same order whoever reads them.
            while !pending.isEmpty {
                var next: [PendingDirectory] = []
                for start in stride(from: 0, to: pending.count, by: Self.partSize) {
                    let part = pending[start..<min(start + Self.partSize, pending.count)]
                    let read = try pool.map(part.count) { index in
                        try Interruption.check()
                        return try reader.read(part[part.startIndex + index], in: base)
                    }
                    for (place, contents) in zip(part, read) { add(contents, at: place, &next) }
                }
                pending = next
            }
        } catch let error as SystemError {
            throw LayerFSError.system(step: "walk \(found.literal)", error)
        }
    }

    /// How many directories are read before what was found in them is packed.
    private static let partSize = 1024

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
