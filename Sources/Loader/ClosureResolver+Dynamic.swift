import Bytes
import ELF
import Posix

extension ClosureResolver {
    /// Adds the interpreter and the libraries of an ELF file.
    func load(_ found: ResolvedPath, _ image: ELFImage, _ kind: RequestedProgram.Kind) {
        guard loaded.insert(found.path).inserted else { return }
        var loader: ResolvedPath?
        switch kind {
        case .staticExecutable, .staticPIE, .script: return
        case .sharedObject:
            builder.add(.sharedObject(found.path))
            // It names none; what loads it is the machine's usual one.
            loader = MachineDefaults(image.header).interpreter.flatMap { try? root.resolve($0) }
        case .dynamicExecutable:
            guard let name = image.interpreter else { return }
            guard let interpreter = findInterpreter(name, of: found, image.header) else { return }
            builder.add(interpreter, from: found.path, .interpreter, name: name, .literal)
            loader = interpreter
        }
        let run = DynamicRun(
            found: found, image: image, loader: loader, environment: environment(image.header, loader: loader),
            options: options)
        run.load(into: &builder)
    }

    /// The file that the kernel opens for PT_INTERP: the path as it is, relative to where the program is started.
    private func findInterpreter(_ name: ByteString, of program: ResolvedPath, _ header: ELFHeader) -> ResolvedPath? {
        let isRelative = name.bytes.first != UInt8(ascii: "/")
        if isRelative { builder.add(.relativePath(name, of: program.path)) }
        let path = isRelative ? options.startDirectory + "/" + name : name
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

/// The loading of one program on all kinds of processors that the options ask for.
private struct DynamicRun {
    let found: ResolvedPath
    let image: ELFImage
    let loader: ResolvedPath?
    let environment: LoaderEnvironment
    let options: ResolveOptions

    func load(into closure: inout ClosureBuilder) {
        switch options.variants {
        case .none:
            load(environment.baseline, reportsMissing: true, nil, into: &closure)
        case .levels(let names):
            let profile = CapabilityProfile.exactly(names, environment.constants, isX86_64: environment.isX86_64)
            load(profile, reportsMissing: true, nil, into: &closure)
            load(environment.baseline, reportsMissing: false, nil, into: &closure)
        case .portable:
            let sightings = VariantSightings()
            load(environment.baseline, reportsMissing: true, sightings, into: &closure)
            // A variant may need other libraries than the plain file: each processor's search is made in full.
            if !sightings.paths.isEmpty {
                for profile in environment.variants { load(profile, reportsMissing: false, nil, into: &closure) }
            }
        }
    }

    private func load(
        _ profile: CapabilityProfile, reportsMissing: Bool, _ sightings: VariantSightings?,
        into closure: inout ClosureBuilder
    ) {
        var search = LibrarySearch(
            environment: environment, profile: profile, program: nil, options: options, sightings: sightings)
        let hasCapabilities = (try? environment.catalog.content(of: found))?.hasCapabilities ?? false
        let isSecure = found.status.permissions & 0o6000 != 0 || hasCapabilities
        if isSecure { closure.add(.secureMode(found.path)) }
        // /proc/self/exe tells the loader the program's real directory.
        let program = LoadedObject(
            found, image, loader: nil,
            tokens: search.tokens(origin: found.path.parent.bytes, isSecure: isSecure))
        search = search.with(program: program)
        var load = DynamicLoad(search, program: found.path, reportsMissing: reportsMissing)
        load.register(program, aliases: [""], hasIdentity: false)
        let interpreter = loadedInterpreter(search)
        if let interpreter {
            load.register(
                interpreter, aliases: [image.interpreter, loader?.literal].compactMap { $0 }, hasIdentity: false)
        }
        load.loadDependencies(of: program, into: &closure)
        loadAuditors(program, interpreter, search, into: &closure)
    }

    private func loadedInterpreter(_ search: LibrarySearch) -> LoadedObject? {
        guard let loader, let image = (try? environment.catalog.content(of: loader))?.image else { return nil }
        return LoadedObject(loader, image, loader: nil, tokens: search.tokens(origin: loader.literal.directoryText))
    }

    /// DT_AUDIT and DT_DEPAUDIT of the program: each library in a namespace of its own, with its own copies.
    private func loadAuditors(
        _ program: LoadedObject, _ interpreter: LoadedObject?, _ search: LibrarySearch,
        into closure: inout ClosureBuilder
    ) {
        let lists = [image.dynamic?.audit, image.dynamic?.dependencyAudit].compactMap { $0 }
        for name in lists.flatMap({ $0.split(on: UInt8(ascii: ":")) }) where !name.isEmpty {
            var search = search
            search.usesProgramRunpath = true
            var load = DynamicLoad(search, program: found.path, reportsMissing: true)
            if let interpreter { load.register(interpreter, aliases: [interpreter.file.literal]) }
            guard let auditor = load.load(name, .audit, for: program, into: &closure) else { continue }
            load.loadDependencies(of: auditor, into: &closure)
        }
    }
}

extension LibrarySearch {
    func with(program: LoadedObject) -> LibrarySearch {
        LibrarySearch(
            environment: environment, profile: profile, program: program, options: options,
            usesProgramRunpath: usesProgramRunpath, sightings: sightings)
    }

    /// The tokens of an object in `origin`.
    func tokens(origin: ByteString, isSecure: Bool = false) -> StringTokens {
        StringTokens(
            origin: origin, library: environment.constants.libraryToken, platform: profile.platform,
            trustedDirectories: isSecure ? environment.constants.systemDirectories : nil)
    }

    /// The tokens of an object in `origin` that `other`'s object loads.
    func tokens(origin: ByteString, like other: StringTokens) -> StringTokens {
        var tokens = other
        tokens.origin = origin
        return tokens
    }
}
