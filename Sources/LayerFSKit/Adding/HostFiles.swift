import Bytes
import LayerStore
import Loader
import Posix
import Trees

/// Files and links of a root of this machine, as entries of a plan.
///
/// Where nothing else is said, a file lies in the layer where it lies in the root, at the path that has no links, and the links
/// that led to it come along: what opened it there opens it in the layer. Where a destination is given only the links of a
/// merged /usr are followed in it: a layer must not depend on what else the machine has links for.
struct HostFiles {
    let root: SourceRoot
    let usrMerge: [UsrMerge.Link]

    /// - Parameter path: where the root lies on this machine.
    init(_ path: ByteString = "/") throws(LayerFSError) {
        do {
            root = try SourceRoot(path)
            usrMerge = try UsrMerge.links(of: path)
        } catch {
            throw .system(step: "open the root \(path)", error)
        }
    }

    /// The regular file at `mapping`, a link followed.
    func file(_ mapping: PathMapping, _ change: MetadataChange) throws(LayerFSError) -> [PlannedEntry] {
        let found = try find(mapping.source)
        guard found.status.kind != .directory else {
            throw .unusableSource(mapping.source, reason: "it is a directory; take it with --dir")
        }
        let origin = PlanOrigin.file(mapping.text)
        guard let destination = mapping.destination else { return try entries(found, origin, change) }
        let name = ByteString(mapping.source.bytes.split(separator: UInt8(ascii: "/")).last ?? [])
        let isNamed = !mapping.isIntoDirectory
        guard isNamed || TreePath.isComponent(name), !(isNamed && destination.isRoot) else {
            throw .unusableSource(mapping.source, reason: "it has no name to be given in \(destination)")
        }
        let path = isNamed ? destination : destination.appending(name)
        return [try entry(found, at: placed(path.parent).appending(path.name), origin, change)]
    }

    /// All of `found`: the file, the links on the way to it, and the directories passed.
    func entries(
        _ found: ResolvedPath, _ origin: PlanOrigin, _ change: MetadataChange = MetadataChange()
    ) throws(LayerFSError) -> [PlannedEntry] {
        var entries = try way(to: found, origin)
        if !found.path.isRoot { entries.append(try entry(found, at: found.path, origin, change)) }
        return entries
    }

    /// The links on the way to `found`, and directories that it only passes through.
    func way(to found: ResolvedPath, _ origin: PlanOrigin) throws(LayerFSError) -> [PlannedEntry] {
        var entries: [PlannedEntry] = []
        for path in found.links.map(\.path) + found.passedDirectories where !path.isRoot {
            entries.append(try node(path, origin))
        }
        return entries
    }

    /// The link or directory `path` of the root as it is.
    func node(_ path: TreePath, _ origin: PlanOrigin) throws(LayerFSError) -> PlannedEntry {
        let source = root.hostPath(of: path)
        do {
            let status = try Files.status(source, followingLink: false)
            let kind: Entry.Kind = status.kind == .symlink ? .symlink(target: try Files.linkTarget(source)) : .directory
            return PlannedEntry(path, .node(kind, Metadata(of: status), source: source), origin, rootPath: path)
        } catch {
            throw .system(step: "examine the host", error)
        }
    }

    private func entry(
        _ found: ResolvedPath, at path: TreePath, _ origin: PlanOrigin, _ change: MetadataChange
    ) throws(LayerFSError) -> PlannedEntry {
        let source = root.hostPath(of: found.path)
        switch found.status.kind {
        case .regular:
            let content = PlannedEntry.Content.file(source: source, SourceState(found.status), change)
            return PlannedEntry(path, content, origin, rootPath: found.path)
        case .directory:
            var metadata = Metadata(of: found.status)
            change.apply(to: &metadata, isDirectory: true)
            return PlannedEntry(path, .node(.directory, metadata, source: source), origin, rootPath: found.path)
        default: throw .unusableSource(found.literal, reason: "it is no regular file")
        }
    }

    /// Where a directory of the layer lies once the links of a merged /usr are followed.
    func placed(_ directory: TreePath) -> TreePath { UsrMerge.place(of: directory, usrMerge) }

    /// Follows `source` of the command line to its end.
    ///
    /// - Throws: ``LayerFSError/noSuchSource(_:_:)``, ``LayerFSError/unusableSource(_:reason:)``.
    func find(_ source: ByteString) throws(LayerFSError) -> ResolvedPath {
        let isAbsolute = source.bytes.first == UInt8(ascii: "/")
        let directory = root.workingDirectory
        let path = isAbsolute ? source : (directory == "/" ? "/" : directory + "/") + source
        do {
            return try root.resolve(path)
        } catch {
            switch error.reason {
            case .notFound, .notDirectory: throw .noSuchSource(source, error)
            default: throw .unusableSource(source, reason: "\(error)")
            }
        }
    }
}
