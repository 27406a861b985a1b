import Bytes
import ELF
import Posix

extension ClosureResolver {
    /// Adds the interpreter and the libraries of an ELF file.
    func load(_ found: ResolvedPath, _ image: ELFImage, _ kind: RequestedProgram.Kind) {
        guard loaded.insert(found.path).inserted else { return }
        var loader: ResolvedPath?
        var loaderName: ByteString?
        switch kind {
        case .staticExecutable, .staticPIE, .script: return
        case .sharedObject:
            builder.add(.sharedObject(found.path))
            // It names none; what loads it is the machine's usual one.
            (loader, loaderName) = usualLoader(image.header)
        case .dynamicExecutable:
            guard let name = image.interpreter else { return }
            guard let interpreter = findInterpreter(name, of: found, image.header) else { return }
            builder.add(interpreter, from: found.path, .interpreter, name: name, .literal)
            (loader, loaderName) = (interpreter, name)
        }
        if let loader, let loaderName, MuslConstants.isLoader(loaderName) {
            MuslRun(
                found: found, image: image, loader: loader, loaderName: loaderName, catalog: catalog, options: options
            )
            .load(into: &builder)
        } else {
            var run = DynamicRun(
                found: found, image: image, loader: loader, environment: environment(image.header, loader: loader),
                options: options)
            run.load(into: &builder)
        }
    }

    /// The loader that the root has for a machine, and its name: glibc's, or the only musl.
    private func usualLoader(_ header: ELFHeader) -> (ResolvedPath?, ByteString?) {
        if let name = MachineDefaults(header).interpreter, let file = try? root.resolve(name) { return (file, name) }
        for name in root.names(in: "/lib").sorted() where MuslConstants.isLoader(name) {
            guard let file = try? root.resolve("/lib/" + name), interpreterRejection(file, header) == nil else {
                continue
            }
            return (file, "/lib/" + name)
        }
        return (nil, nil)
    }

    /// The file that the kernel opens for PT_INTERP: the path as it is, relative to where the program is started.
    private func findInterpreter(_ name: ByteString, of program: ResolvedPath, _ header: ELFHeader) -> ResolvedPath? {
        let isRelative = name.bytes.first != UInt8(ascii: "/")
        if isRelative { builder.add(.relativePath(name, of: program.path)) }
        let path = options.absolute(name)
        let rejection: CandidateRejection
        do {
            let file = try root.resolve(path)
            guard let reason = interpreterRejection(file, header) else { return file }
            rejection = reason
        } catch { rejection = .unreachable(error.reason) }
        var cause = UnresolvedDependency.Cause.unusable
        if case .unreachable = rejection { cause = .notFound }
        builder.add(
            UnresolvedDependency(
                name: name, kind: .interpreter, neededBy: program.path, program: program.path,
                attempts: [SearchAttempt(path: path, place: .literal, rejection: rejection)], cause: cause))
        return nil
    }

    /// Why the kernel would not start `file` as the interpreter of a program for `header`'s machine.
    private func interpreterRejection(_ file: ResolvedPath, _ header: ELFHeader) -> CandidateRejection? {
        guard file.status.kind == .regular else { return .unusable(.notRegularFile) }
        guard file.status.permissions & 0o111 != 0 else { return .notExecutable }
        let content: FileContent
        do { content = try catalog.content(of: file) } catch { return .unreadable(error.errno) }
        switch TargetMachine(header: header).rejection(of: content) {
        case nil, .unusable(.noDynamicSection), .unusable(.fixedAddressExecutable): return nil
        case let reason: return reason
        }
    }
}
