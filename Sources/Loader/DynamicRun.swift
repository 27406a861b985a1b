import Bytes
import ELF
import Posix

/// The loading of one program on all kinds of processors that the options ask for.
struct DynamicRun {
    let found: ResolvedPath
    let image: ELFImage
    let loader: ResolvedPath?
    let environment: LoaderEnvironment
    let options: ResolveOptions

    /// What is loaded on demand, decided for the first processor.
    private var onDemand: OnDemandLoading

    init(
        found: ResolvedPath, image: ELFImage, loader: ResolvedPath?, environment: LoaderEnvironment,
        options: ResolveOptions
    ) {
        self.found = found
        self.image = image
        self.loader = loader
        self.environment = environment
        self.options = options
        onDemand = OnDemandLoading(
            catalog: environment.catalog, program: found.path, options: options, library: .glibc,
            glibc: environment.constants.version)
    }

    mutating func load(into closure: inout ClosureBuilder) {
        switch options.variants {
        case .none:
            load(environment.baseline, reportsMissing: true, nil, into: &closure)
        case .levels(let names):
            load(environment.profile(names), reportsMissing: true, nil, into: &closure)
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

    private mutating func load(
        _ profile: CapabilityProfile, reportsMissing: Bool, _ sightings: VariantSightings?,
        into closure: inout ClosureBuilder
    ) {
        var search = LibrarySearch(
            environment: environment, profile: profile, program: nil, options: options,
            defaults: environment.defaultHits(profile), sightings: sightings)
        let isSecure = environment.catalog.isSecure(found)
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
        let preloads = options.includesPreloads ? environment.preloads : []
        let preloaded = preloads.compactMap { load.load($0, .preload, for: program, into: &closure) }
        load.loadDependencies(of: program, after: preloaded, into: &closure)
        onDemand.follow(&load, into: &closure)
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
            usesProgramRunpath: usesProgramRunpath, defaults: defaults, sightings: sightings)
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
