public import Bytes
import ELF
import Posix

extension ClosureResolver {
    /// Adds the file at `path` if it says itself that it is to be started or loaded: an ELF program or shared object, or
    /// a script with a `#!` line. Nobody asked for it: what else it may be is no error.
    ///
    /// - Returns: what it is; nil for a text that only a shell would run, an object file, data.
    /// - Throws: ``ProgramError`` when it cannot be read or is damaged.
    @discardableResult
    public func examine(_ path: TreePath) throws(ProgramError) -> RequestedProgram.Kind? {
        let file: ResolvedPath
        do { file = try root.resolve(path.bytes) } catch { throw .unreachable(path: path.bytes, error) }
        guard file.status.kind == .regular else { return nil }
        let content: FileContent
        do { content = try catalog.content(of: file) } catch { throw .unreadable(path: path.bytes, error) }
        switch content.elf {
        case .success(let image):
            guard RequestedProgram.Kind(image.kind) != nil else { return nil }
        case .failure: break
        case nil:
            do {
                guard try Shebang(content.prefix) != nil else { return nil }
            } catch { throw .invalidShebang(path: path.bytes, error) }
        }
        let kind = try start(file, from: nil, .program, name: path.bytes, .literal)
        builder.add(RequestedProgram(request: path.bytes, literalPath: file.literal, path: file.path, kind: kind))
        return kind
    }

    /// Whether the file at `path` is in the closure already, so that what it needs is looked for.
    public func contains(_ path: TreePath) -> Bool { builder.contains(path) }
}
