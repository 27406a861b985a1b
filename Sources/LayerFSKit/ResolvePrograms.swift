public import Bytes
public import Loader

/// Finds what programs need, without running anything and without a store.
public struct ResolvePrograms: Sendable {
    private let rootPath: ByteString
    private let options: ResolveOptions

    /// - Parameters:
    ///   - root: the directory that is taken as `/`.
    ///   - searchPath: where programs are looked up by name.
    ///   - options: what else is chosen; its path is not used.
    public init(root: ByteString = "/", searchPath: [ByteString], options: ResolveOptions = ResolveOptions()) {
        rootPath = root
        var options = options
        options.path = searchPath.filter { $0.bytes.first == UInt8(ascii: "/") }
        self.options = options
    }

    /// One closure of all `programs`.
    ///
    /// - Throws: ``ProgramError`` when one is no program. What is missing is listed in the closure.
    public func closure(of programs: [ByteString]) throws -> Closure {
        try closures(of: [programs])[0]
    }

    /// A closure for each group of programs; what is looked up is looked up once.
    ///
    /// - Throws: ``ProgramError``.
    public func closures(of groups: [[ByteString]]) throws -> [Closure] {
        let root: SourceRoot
        do {
            root = try SourceRoot(rootPath)
        } catch {
            throw LayerFSError.system(step: "open the root \(rootPath)", error)
        }
        return try groups.map { programs in
            let resolver = ClosureResolver(root, options: options)
            resolver.prefetch(programs)
            for program in programs { try resolver.add(program) }
            return resolver.closure()
        }
    }
}
