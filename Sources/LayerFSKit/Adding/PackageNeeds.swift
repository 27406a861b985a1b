import Bytes
import LayerStore
import Loader
import Posix
import Trees

/// What the programs and libraries of a package need.
///
/// Its commands must start. A plugin whose library is not installed, or a script of the examples whose interpreter is not, is
/// left as it is on the host: there it does not work either (Debian policy, 7.2, Recommends and Suggests).
struct PackageNeeds {
    let closure: Closure
    let notes: [String]

    /// - Throws: ``UnresolvedClosure`` when a command lacks something.
    init(_ root: SourceRoot, of entries: some Sequence<PlannedEntry>, _ options: ResolveOptions) throws {
        var programs: [TreePath] = []
        for entry in entries {
            guard case .file(let source, let state, _) = entry.content, let path = entry.rootPath,
                try Self.isProgram(source, state.size, path)
            else { continue }
            programs.append(path)
        }
        var notes: [String] = []
        while true {
            let resolver = ClosureResolver(root, options: options)
            for program in programs {
                do { try resolver.add(program.bytes) } catch {
                    if Self.isCommand(program), !Self.isText(error) { throw error }
                }
            }
            let closure = resolver.closure()
            let optional = Set(closure.unresolved.map(\.program).filter { !Self.isCommand($0) })
            guard programs.contains(where: optional.contains) else {
                try UnresolvedClosure.check(closure)
                (self.closure, self.notes) = (closure, notes)
                return
            }
            programs.removeAll { optional.contains($0) }
            let lacking = closure.unresolved.filter { optional.contains($0.program) }
            notes += lacking.map { "\($0.program) lacks \($0.name), and is no command: taken as it is" }
        }
    }

    private static let commandDirectories: Set<ByteString> = [
        "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/games", "/usr/local/bin", "/usr/local/sbin",
    ]

    static func isCommand(_ path: TreePath) -> Bool { commandDirectories.contains(path.parent.bytes) }

    /// Data with an x bit, which happens, is no reason to refuse a package.
    private static func isText(_ error: ProgramError) -> Bool {
        if case .notProgram = error { true } else { false }
    }

    /// Whether the file begins as an ELF file or a script does. Only those are opened whose name or mode lets them be one.
    private static func isProgram(_ source: ByteString, _ size: UInt64, _ path: TreePath) throws(LayerFSError) -> Bool {
        guard size >= 4 else { return false }
        do {
            let isLibrary = path.name.hasSuffix(".so") || path.name.bytes.firstRange(of: Array(".so.".utf8)) != nil
            let permissions = try Files.status(source).permissions
            guard isLibrary || permissions & 0o111 != 0 else { return false }
            let start = try Files.open(source, [.readOnly, .noFollow, .nonBlocking]).readPrefix(4)
            return start == [0x7f] + Array("ELF".utf8) || !isLibrary && start.starts(with: Array("#!".utf8))
        } catch {
            throw .system(step: "look into \(source)", error)
        }
    }
}
