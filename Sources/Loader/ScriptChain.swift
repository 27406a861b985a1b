import Bytes
import ELF
import Posix

/// A script, its interpreter, that one's interpreter if it is a script too, and so on.
struct ScriptChain {
    let program: TreePath
    private var length = 0
    private var scripts: Set<TreePath> = []

    init(program: TreePath) { self.program = program }

    /// Linux follows the interpreters of five scripts in a row (fs/exec.c, exec_binprm) and then answers ELOOP.
    static let maximumLength = 5

    /// Counts one more script.
    ///
    /// - Returns: whether Linux still follows.
    mutating func extend(_ script: TreePath) -> Bool {
        length += 1
        scripts.insert(script)
        return length <= Self.maximumLength
    }

    /// env(1) starts a command: a new process image, for which the kernel counts anew.
    mutating func restart() { length = 0 }

    /// Whether `script` was followed already: then it starts itself for ever, and brings nothing new.
    func contains(_ script: TreePath) -> Bool { scripts.contains(script) }

    /// - Throws: when `content`, which is not ELF, cannot be a script either.
    func checkProgram(_ found: ResolvedPath, _ content: FileContent) throws(ProgramError) {
        do {
            if try Shebang(content.prefix) != nil { return }
        } catch { throw .invalidShebang(path: found.literal, error) }
        // Shells run what the kernel refuses when it looks like text, that is, has no NUL near its beginning.
        guard !content.prefix.contains(0), found.status.permissions & 0o111 != 0 else {
            throw .notProgram(path: found.literal)
        }
    }
}

extension ClosureResolver {
    /// Adds what runs the script at `found`.
    func follow(_ chain: inout ScriptChain, _ found: ResolvedPath, _ content: FileContent) {
        guard chain.extend(found.path) else {
            report(chain, found, found.literal, .shebang, [], .tooManyScripts)
            return
        }
        let line: Shebang?
        do { line = try Shebang(content.prefix) } catch {
            report(chain, found, found.literal, .shebang, [], .shebang(error))
            return
        }
        guard let line else {
            builder.add(.textRunByShell(found.path))
            addInterpreter("/bin/sh", .shell, &chain, found)
            return
        }
        if line.isTruncated { builder.add(.shebangTruncated(found.path)) }
        let isRelative = line.interpreter.bytes.first != UInt8(ascii: "/")
        if isRelative { builder.add(.relativePath(line.interpreter, of: found.path)) }
        addInterpreter(options.absolute(line.interpreter), .shebang, &chain, found)
        if line.interpreter.split(on: UInt8(ascii: "/")).last == "env" { addCommand(line, &chain, found) }
    }

    private func addInterpreter(
        _ path: ByteString, _ kind: DependencyKind, _ chain: inout ScriptChain, _ script: ResolvedPath
    ) {
        let file: ResolvedPath
        do { file = try root.resolve(path) } catch {
            report(chain, script, path, kind, [attempt(path, .unreachable(error.reason))], .notFound)
            return
        }
        add(file, kind, name: path, .literal, &chain, script)
    }

    /// What env(1) starts: looked up in PATH unless it has a slash.
    private func addCommand(_ line: Shebang, _ chain: inout ScriptChain, _ script: ResolvedPath) {
        guard let argument = line.argument, let command = EnvCommand(argument: argument).command, !command.isEmpty
        else {
            report(chain, script, line.interpreter, .env, [], .noCommand)
            return
        }
        chain.restart()
        if command.contains(UInt8(ascii: "/")) {
            addInterpreter(command, .env, &chain, script)
            return
        }
        do {
            let found = try ProgramFinder(root: root, path: options.path).find(command)
            add(found.file, .env, name: command, .path(found.directory), &chain, script)
        } catch {
            report(chain, script, command, .env, error.attempts, .notFound)
        }
    }

    private func add(
        _ file: ResolvedPath, _ kind: DependencyKind, name: ByteString, _ place: SearchPlace,
        _ chain: inout ScriptChain, _ script: ResolvedPath
    ) {
        func reject(_ rejection: CandidateRejection) {
            report(chain, script, name, kind, [attempt(file.literal, rejection)], .unusable)
        }
        guard file.status.kind == .regular else { return reject(.unusable(.notRegularFile)) }
        guard file.status.permissions & 0o111 != 0 else { return reject(.notExecutable) }
        let content: FileContent
        do { content = try catalog.content(of: file) } catch { return reject(.unreadable(error.errno)) }
        switch content.elf {
        case .failure(let error): reject(.unusable(.damaged(error)))
        case .success(let image):
            guard let programKind = RequestedProgram.Kind(image.kind) else { return reject(.unusable(.notLoadable)) }
            builder.add(file, from: script.path, kind, name: name, place)
            load(file, image, programKind)
        case nil:
            builder.add(file, from: script.path, kind, name: name, place)
            if kind == .env, chain.contains(file.path) { return }
            follow(&chain, file, content)
        }
    }

    private func attempt(_ path: ByteString, _ rejection: CandidateRejection) -> SearchAttempt {
        SearchAttempt(path: path, place: .literal, rejection: rejection)
    }

    private func report(
        _ chain: ScriptChain, _ script: ResolvedPath, _ name: ByteString, _ kind: DependencyKind,
        _ attempts: [SearchAttempt], _ cause: UnresolvedDependency.Cause
    ) {
        builder.add(
            UnresolvedDependency(
                name: name, kind: kind, neededBy: script.path, program: chain.program, attempts: attempts,
                cause: cause))
    }
}
