import Bytes
import LayerStore
import Loader
import Posix
import Trees

extension LayerPlan {
    /// The files of a closure, each at the path where it lies on the host.
    ///
    /// - Parameter isRequested: whether a person named the programs, and not a package that holds them.
    /// - Throws: ``LayerFSError/system(step:_:)`` when something cannot be examined any more, and
    ///   `LayerStoreError.sourceChanges(_:)` when it is another file now.
    init(_ closure: Closure, isRequested: Bool = true) throws {
        closures = [closure]
        if isRequested {
            notes = closure.notes.filter { !$0.isWarning }.map { "\($0)" }
            warnings = closure.notes.filter(\.isWarning).map { "\($0)" }
            requests = closure.programs.map {
                Provenance.Request(text: $0.request.description, path: $0.path, opened: $0.literalPath)
            }
        }
        edges = closure.edges.filter { $0.from != nil || isRequested }.map(Provenance.Edge.init)
        for file in closure.files {
            entries.append(PlannedEntry(file.path, try Self.content(of: file), .programs, rootPath: file.path))
        }
    }

    private static func content(of file: ClosureFile) throws -> PlannedEntry.Content {
        let status: FileStatus
        do { status = try Files.status(file.sourcePath, followingLink: false) } catch {
            throw LayerFSError.system(step: "examine the host", error)
        }
        if case .file = file.kind {
            guard status.identity == file.identity else { throw LayerStoreError.sourceChanges(file.sourcePath) }
            return .file(source: file.sourcePath, SourceState(status))
        }
        if case .symlink(let target) = file.kind {
            return .node(.symlink(target: target), Metadata(of: status), source: file.sourcePath)
        }
        return .node(.directory, Metadata(of: status), source: file.sourcePath)
    }
}

extension Metadata {
    /// Owner and permissions of an inode that is no regular file; links have the permissions that Linux gives all of them.
    init(of status: FileStatus) {
        self.init(mode: status.kind == .symlink ? 0o777 : status.permissions, uid: status.uid, gid: status.gid)
    }
}

extension Provenance.Edge {
    init(_ edge: ClosureEdge) {
        self.init(
            from: edge.from, to: edge.to, kind: edge.kind.rawValue, name: edge.name, found: edge.place.provenanceText,
            via: edge.via.isEmpty ? nil : edge.via)
    }
}
