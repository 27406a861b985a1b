public import Bytes
import ELF
public import Posix

/// Finds everything that programs need of a root in order to start, without running anything.
///
/// One resolver is one run: what it parses and looks up is shared by all programs added.
///
///     let resolver = ClosureResolver(try SourceRoot())
///     try resolver.add("bash")
///     let closure = resolver.closure()
public final class ClosureResolver {
    let catalog: FileCatalog
    let options: ResolveOptions
    var builder: ClosureBuilder
    /// The ELF programs whose needs are in the closure.
    var loaded: Set<TreePath> = []
    private var environments: [EnvironmentKey: LoaderEnvironment] = [:]

    private struct EnvironmentKey: Hashable {
        let loader: FileIdentity?
        let fileClass: ELFClass
        let byteOrder: ByteOrder
        let machine: ELFMachine
        let floatABI: UInt32
    }

    public init(_ root: SourceRoot, options: ResolveOptions = ResolveOptions()) {
        catalog = FileCatalog(root)
        self.options = options
        builder = ClosureBuilder(root)
    }

    var root: SourceRoot { catalog.root }

    /// Adds a program: a name to be found in ``ResolveOptions/path``, or a path when it has a slash, relative to
    /// ``SourceRoot/workingDirectory``.
    ///
    /// - Throws: ``ProgramError`` when it is no program. What it lacks is not thrown but listed in
    ///   ``Closure/unresolved``.
    /// - Returns: the program, as ``Closure/programs`` lists it.
    @discardableResult
    public func add(_ request: ByteString) throws(ProgramError) -> RequestedProgram {
        let (file, place) = try locate(request)
        let kind = try start(file, from: nil, .program, name: request, place)
        let program = RequestedProgram(request: request, literalPath: file.literal, path: file.path, kind: kind)
        builder.add(program)
        return program
    }

    /// Reads the files of `requests`, which are then added one by one, on all workers: most of the work of a long list.
    public func prefetch(_ requests: [ByteString], _ pool: WorkerPool = WorkerPool()) {
        // Threads cost more than a few files do.
        guard requests.count >= 16, pool.workers > 1 else { return }
        let files = requests.compactMap { try? locate($0).0 }
        catalog.prefetch(files, withNotes: options.dlopen != .none, pool)
    }

    /// All that was added so far.
    public func closure() -> Closure { builder.closure() }

    private func locate(_ request: ByteString) throws(ProgramError) -> (ResolvedPath, SearchPlace) {
        guard request.contains(UInt8(ascii: "/")) else {
            let finder = ProgramFinder(root: root, path: options.path)
            do {
                let found = try finder.find(request)
                return (found.file, .path(found.directory))
            } catch {
                throw .unknownName(request, searched: options.path, similar: finder.similar(to: request))
            }
        }
        let path = request.absolute(from: root.workingDirectory)
        let file: ResolvedPath
        do { file = try root.resolve(path) } catch { throw .unreachable(path: path, error) }
        switch file.status.kind {
        case .regular: return (file, .literal)
        case .directory: throw .isDirectory(path: path)
        default: throw .notRegularFile(path: path)
        }
    }

    /// Adds the file at `found` and all that starting it takes.
    func start(
        _ found: ResolvedPath, from: TreePath?, _ kind: DependencyKind, name: ByteString, _ place: SearchPlace
    ) throws(ProgramError) -> RequestedProgram.Kind {
        let content: FileContent
        do { content = try catalog.content(of: found) } catch {
            throw .unreadable(path: found.literal, error)
        }
        switch content.elf {
        case .failure(let error): throw .damaged(path: found.literal, error)
        case .success(let image):
            guard let programKind = RequestedProgram.Kind(image.kind) else { throw .notLoadable(path: found.literal) }
            builder.add(found, from: from, kind, name: name, place)
            if programKind != .sharedObject, found.status.permissions & 0o111 == 0 {
                builder.add(.notExecutable(found.path))
            }
            load(found, image, programKind)
            return programKind
        case nil:
            var script = ScriptChain(program: found.path)
            try script.checkProgram(found, content)
            builder.add(found, from: from, kind, name: name, place)
            if found.status.permissions & 0o111 == 0 { builder.add(.notExecutable(found.path)) }
            follow(&script, found, content)
            return .script
        }
    }

    /// The environment of programs for `header`'s machine that are started by `loader`.
    func environment(_ header: ELFHeader, loader: ResolvedPath?) -> LoaderEnvironment {
        let key = EnvironmentKey(
            loader: loader?.status.identity, fileClass: header.fileClass, byteOrder: header.byteOrder,
            machine: header.machine, floatABI: TargetMachine(header: header).floatABI)
        if let known = environments[key] { return known }
        let environment = LoaderEnvironment(catalog, header: header, loader: loader)
        if let error = environment.cacheError { builder.add(.cacheIgnored(error)) }
        // They are the root's choice, not the program's.
        if !environment.preloads.isEmpty, !options.includesPreloads {
            builder.add(.preloadFile(libraries: environment.preloads))
        }
        environments[key] = environment
        return environment
    }
}

extension RequestedProgram.Kind {
    init?(_ kind: ELFImage.Kind) {
        switch kind {
        case .dynamicExecutable: self = .dynamicExecutable
        case .staticExecutable: self = .staticExecutable
        case .staticPIE: self = .staticPIE
        case .sharedObject: self = .sharedObject
        case .other: return nil
        }
    }
}
