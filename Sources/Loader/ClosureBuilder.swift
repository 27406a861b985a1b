import Bytes
import Posix

/// Collects a closure: every path once, every reason once.
struct ClosureBuilder {
    private let root: SourceRoot
    private var programs: [RequestedProgram] = []
    private var files: [TreePath: ClosureFile] = [:]
    private var edges = OrderedSet<ClosureEdge>()
    private var unresolved = OrderedSet<UnresolvedDependency>()
    private var notes = OrderedSet<ClosureNote>()
    private var seen: Set<ByteString> = []

    init(_ root: SourceRoot) { self.root = root }

    func contains(_ path: TreePath) -> Bool { files[path] != nil }

    mutating func add(_ program: RequestedProgram) { programs.append(program) }

    mutating func add(_ note: ClosureNote) { notes.append(note) }

    mutating func add(_ dependency: UnresolvedDependency) { unresolved.append(dependency) }

    /// Adds the file at `found`, all links that lead to it, and the reason.
    mutating func add(
        _ found: ResolvedPath, from: TreePath?, _ kind: DependencyKind, name: ByteString, _ place: SearchPlace,
        variant: ByteString? = nil, note: DlopenReason? = nil, cacheEntry: LdCacheLibrary? = nil
    ) {
        addFiles(found)
        edges.append(
            ClosureEdge(
                from: from, to: found.path, kind: kind, name: name, openedAs: found.literal,
                via: found.links.map(\.path), place: place, variant: variant, note: note, cacheEntry: cacheEntry))
    }

    private mutating func addFiles(_ found: ResolvedPath) {
        guard seen.insert(found.literal).inserted else { return }
        let status = found.status
        add(found.path, .file(size: status.size, permissions: status.permissions), status.identity)
        for link in found.links {
            // Known to exist, since the walk went through it.
            guard let status = try? root.linkStatus(link.path) else { continue }
            add(link.path, .symlink(target: link.target), status.identity)
        }
        for directory in found.passedDirectories {
            guard let status = try? root.resolve(directory.bytes).status else { continue }
            add(directory, .directory, status.identity)
        }
    }

    private mutating func add(_ path: TreePath, _ kind: ClosureFile.Kind, _ identity: FileIdentity) {
        guard files[path] == nil else { return }
        files[path] = ClosureFile(path: path, kind: kind, sourcePath: root.hostPath(of: path), identity: identity)
    }

    /// The files without the directories that are there anyway, since something in them is.
    private var neededFiles: [ClosureFile] {
        let passed = files.values.filter { $0.kind == .directory }
        guard !passed.isEmpty else { return Array(files.values) }
        var parents: Set<TreePath> = []
        for path in files.keys {
            var parent = path.parent
            while parents.insert(parent).inserted, !parent.isRoot { parent = parent.parent }
        }
        return files.values.filter { $0.kind != .directory || !parents.contains($0.path) }
    }

    func closure() -> Closure {
        var closure = Closure()
        closure.programs = programs
        closure.files = neededFiles.sorted { $0.path < $1.path }
        closure.edges = edges.elements
        closure.unresolved = unresolved.elements
        closure.notes = notes.elements
        return closure
    }
}

/// Elements in the order they came, each once.
private struct OrderedSet<Element: Hashable> {
    private(set) var elements: [Element] = []
    private var members: Set<Element> = []

    mutating func append(_ element: Element) {
        if members.insert(element).inserted { elements.append(element) }
    }
}
