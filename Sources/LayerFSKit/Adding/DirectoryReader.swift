import Bytes
import LayerStore
import Posix
import SystemPackage
import Trees

/// A directory that a walk has met and not read yet.
struct PendingDirectory: Sendable {
    /// Below the directory that the walk began in; `.` for that one.
    var relative: ByteString
    var source: TreePath
    /// In the layer.
    var path: TreePath
    /// Which entry of the walk it is; nil for the root.
    var index: Int?
}

/// Reads directories for a ``DirectoryWalk``, on any thread.
struct DirectoryReader: Sendable {
    let filter: WalkFilter
    let usrMerge: [UsrMerge.Link]
    let change: MetadataChange
    let origin: PlanOrigin
    let isExact: Bool
    /// Where the root that is walked lies on this machine.
    let root: ByteString

    /// What lies in one directory.
    struct Contents: Sendable {
        /// Its own, of an exact walk.
        var attributes: [ExtendedAttribute]?
        var files: PlanEntries.Files
        /// What is no regular file; a directory with what is to be read next.
        var nodes: [(entry: PlannedEntry, directory: PendingDirectory?)] = []
        var skipped = SkippedFiles()
        var denials: [Denial] = []
    }

    /// Reads the directory `place` below `base`. What was removed since its name was read might as well have been before.
    func read(_ place: PendingDirectory, in base: SharedDescriptor) throws -> Contents {
        let host = hostPath(of: place.source)
        var contents = Contents(
            files: PlanEntries.Files(
                path: place.path, source: host == "/" ? "" : host, rootPath: place.source))
        do {
            let directory = try base.descriptor.openContained(place.relative, [.readOnly, .directory])
            if isExact {
                // As of files.
                contents.attributes = try directory.extendedAttributes().filter { $0.name.hasPrefix("user.") }
                    .map { ExtendedAttribute(name: $0.name, value: $0.value) }
            }
            for name in try directory.remainingNames().map(\.name).sorted() {
                try read(name, in: directory, place, &contents)
            }
        } catch  where (error as? SystemError)?.errno == .noSuchFileOrDirectory {}
        return contents
    }

    private func read(
        _ name: ByteString, in directory: borrowing OwnedDescriptor, _ place: PendingDirectory,
        _ contents: inout Contents
    ) throws {
        if filter.mayRefuse(name),
            !filter.lets(place.path.appending(name), from: place.source.appending(name), &contents.denials)
        {
            return
        }
        do {
            let status = try directory.status(of: name)
            // Of most files no path is made.
            if status.kind == .regular {
                return contents.files.files.append((name, SourceState(status)))
            }
            let source = place.source.appending(name)
            guard let kind = try kind(status, name, directory) else {
                return contents.skipped.add(source, status.kind)
            }
            let path = place.path.appending(name)
            guard kind == .directory else {
                return contents.nodes.append((entry(status, kind, source, at: path), nil))
            }
            let placed = UsrMerge.place(of: path, usrMerge)
            let relative = place.relative == "." ? name : place.relative + "/" + name
            let pending = PendingDirectory(relative: relative, source: source, path: placed, index: nil)
            contents.nodes.append((entry(status, kind, source, at: placed), pending))
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {}
    }

    /// nil for what is passed over.
    private func kind(
        _ status: FileStatus, _ name: ByteString, _ directory: borrowing OwnedDescriptor
    ) throws -> Entry.Kind? {
        switch status.kind {
        case .directory: .directory
        case .symlink: .symlink(target: try directory.linkTarget(of: name))
        case .fifo: .fifo
        case .characterDevice where isExact: .characterDevice(major: status.deviceMajor, minor: status.deviceMinor)
        case .blockDevice where isExact: .blockDevice(major: status.deviceMajor, minor: status.deviceMinor)
        case .regular, .characterDevice, .blockDevice, .socket, .unknown: nil
        }
    }

    /// The entry of what is no regular file.
    func entry(_ status: FileStatus, _ kind: Entry.Kind, _ source: TreePath, at path: TreePath) -> PlannedEntry {
        var metadata = Metadata(of: status)
        metadata.modified = Timestamp(seconds: status.modified.seconds)
        if status.kind != .symlink { change.apply(to: &metadata, isDirectory: kind == .directory) }
        if status.kind == .symlink { change.withoutMode.apply(to: &metadata) }
        return PlannedEntry(path, .node(kind, metadata, source: hostPath(of: source)), origin, rootPath: source)
    }

    /// See `SourceRoot.hostPath(of:)`.
    private func hostPath(of path: TreePath) -> ByteString {
        if root == "/" { return path.bytes }
        return path.isRoot ? root : root + path.bytes
    }
}
