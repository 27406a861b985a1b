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
/// elsewhere; only one is open at a time. Links are kept, two names of one file are two files, and devices and sockets, which
/// mean nothing elsewhere, are passed over; devices only unless the walk is exact.
struct DirectoryWalk {
    private let files: HostFiles
    private let filter: PlanFilter
    private let change: MetadataChange
    private let origin: PlanOrigin
    private(set) var entries = PlanEntries()
    /// Those that walks began in.
    private(set) var directories: [Provenance.Directory] = []
    private(set) var skipped = SkippedFiles()
    /// Whether devices, times, and attributes of directories are taken.
    var isExact = false

    init(_ files: HostFiles, _ filter: PlanFilter, _ change: MetadataChange, _ origin: PlanOrigin) {
        (self.files, self.filter, self.change, self.origin) = (files, filter, change, origin)
    }

    private struct Pending {
        /// Below the directory that the walk began in; `.` for that one.
        var relative: ByteString
        var source: TreePath
        /// In the layer.
        var path: TreePath
        /// Which of ``entries`` it is; nil for the root.
        var index: Int?
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
        // The root of a layer is like the host's, whatever directory its entries lie in here.
        if !path.isRoot { add(found.status, .directory, found.path, at: path) }
        let index = path.isRoot ? nil : entries.indices.last
        do {
            let base = try files.root.open(found, [.readOnly, .directory])
            var pending = [Pending(relative: ".", source: found.path, path: path, index: index)]
            while let next = pending.popLast() {
                try Interruption.check()
                do {
                    let directory = try base.openContained(next.relative, [.readOnly, .directory])
                    pending += try read(directory, next)
                } catch  where (error as? SystemError)?.errno == .noSuchFileOrDirectory {
                    // Removed since its name was read: it might as well have been before.
                    continue
                }
            }
        } catch let error as SystemError {
            throw LayerFSError.system(step: "walk \(found.literal)", error)
        }
    }

    /// Adds what lies in `directory`; the directories in it are still to be read.
    private mutating func read(_ directory: borrowing OwnedDescriptor, _ place: Pending) throws -> [Pending] {
        var pending: [Pending] = []
        if isExact, let index = place.index, case .node(let kind, let metadata, let source) = entries[index].content {
            // As of files.
            let attributes = try directory.extendedAttributes().filter { $0.name.hasPrefix("user.") }
            let whole = Metadata(
                mode: metadata.mode, uid: metadata.uid, gid: metadata.gid, modified: metadata.modified,
                extendedAttributes: attributes.map { ExtendedAttribute(name: $0.name, value: $0.value) })
            var entry = entries[index]
            entry.content = .node(kind, whole, source: source)
            entries.replace(index, by: entry)
        }
        for name in try directory.names().map(\.name).sorted() {
            let source = place.source.appending(name)
            let path = place.path.appending(name)
            guard filter.lets(path, from: source) else { continue }
            guard let status = try directory.statusIfPresent(of: name) else { continue }
            guard let kind = try kind(status, name, directory) else {
                skipped.add(source, status.kind)
                continue
            }
            guard kind == .directory else {
                add(status, kind, source, at: path)
                continue
            }
            let placed = files.placed(path)
            add(status, kind, source, at: placed)
            let relative = place.relative == "." ? name : place.relative + "/" + name
            pending.append(
                Pending(relative: relative, source: source, path: placed, index: entries.indices.last))
        }
        return pending
    }

    /// nil for what is passed over. A regular file is `.file` of no content here.
    private func kind(
        _ status: FileStatus, _ name: ByteString, _ directory: borrowing OwnedDescriptor
    ) throws -> Entry.Kind? {
        switch status.kind {
        case .regular: .file(digest: .empty, size: status.size)
        case .directory: .directory
        case .symlink: .symlink(target: try directory.linkTarget(of: name))
        case .fifo: .fifo
        case .characterDevice where isExact: .characterDevice(major: status.deviceMajor, minor: status.deviceMinor)
        case .blockDevice where isExact: .blockDevice(major: status.deviceMajor, minor: status.deviceMinor)
        case .characterDevice, .blockDevice, .socket, .unknown: nil
        }
    }

    private mutating func add(_ status: FileStatus, _ kind: Entry.Kind, _ source: TreePath, at path: TreePath) {
        let host = files.root.hostPath(of: source)
        var content = PlannedEntry.Content.file(source: host, SourceState(status), change)
        if status.kind != .regular {
            var metadata = Metadata(of: status)
            metadata.modified = Timestamp(seconds: status.modified.seconds)
            if status.kind != .symlink { change.apply(to: &metadata, isDirectory: kind == .directory) }
            if status.kind == .symlink { change.withoutMode.apply(to: &metadata) }
            content = .node(kind, metadata, source: host)
        }
        entries.append(PlannedEntry(path, content, origin, rootPath: source))
    }
}

/// What a walk left out, to be said in one line.
struct SkippedFiles {
    private var count = 0
    private var first: (path: TreePath, kind: FileKind)?

    mutating func add(_ path: TreePath, _ kind: FileKind) {
        count += 1
        if first == nil { first = (path, kind) }
    }

    /// nil when nothing was.
    var text: String? {
        guard let first else { return nil }
        let kind = first.kind == .socket ? "a socket" : "a device"
        return "left out \(first.path), \(kind)" + (count > 1 ? ", and \(count - 1) more sockets or devices" : "")
    }
}

extension OwnedDescriptor {
    /// The status of `name` itself, link or not; nil when it is gone.
    fileprivate borrowing func statusIfPresent(of name: ByteString) throws(SystemError) -> FileStatus? {
        do {
            return try status(of: name)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }
}
