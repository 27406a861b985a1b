import Bytes
import ELF
import Posix
import SystemPackage

/// The search for one library: `_dl_map_object` of glibc's elf/dl-load.c, without opening what was opened before.
struct LibrarySearch {
    let environment: LoaderEnvironment
    let profile: CapabilityProfile
    /// The program, whose DT_RPATH is searched for every object.
    let program: LoadedObject?
    let options: ResolveOptions
    private var libraryDirectories: [SearchDirectory] {
        options.libraryDirectories(isSecure: program?.tokens.trustedDirectories != nil)
    }
    /// Whether the DT_RUNPATH of the program is searched too, as for auditing libraries.
    var usesProgramRunpath = false
    /// Takes down the variants met that ``profile`` does not look for; nil when they do not matter.
    var sightings: VariantSightings?

    /// A file that the loader takes.
    struct Hit {
        let file: ResolvedPath
        let image: ELFImage
        let place: SearchPlace
        var variant: ByteString?
        /// Of a library that only the cache leads to.
        var cacheEntry: LdCacheLibrary?
    }

    /// How a search ended without a file.
    struct Miss: Error {
        var attempts: [SearchAttempt] = []
        var cause: UnresolvedDependency.Cause = .notFound
    }

    /// Looks for `name`, needed by `object`.
    func find(_ name: ByteString, for object: LoadedObject) throws(Miss) -> Hit {
        var miss = Miss()
        if name.contains(UInt8(ascii: "/")) {
            // Expanded once more where it was needed by name, as ld.so does; a token that survived stays.
            guard let path = object.tokens.expand(name), !path.isEmpty else {
                miss.cause = .tokenWithoutValue
                throw miss
            }
            if let hit = try open(options.absolute(path), .literal, &miss) { return hit }
            throw miss
        }
        // The DT_RPATHs: none when the needing object has a DT_RUNPATH; those of its loaders, and the program's.
        if !object.hasRunpath {
            var didProgram = false
            var next: LoadedObject? = object
            while let current = next {
                if let hit = try search(current.rpath, name, &miss) { return hit }
                didProgram = didProgram || current === program
                next = current.loader
            }
            if !didProgram, let program, let hit = try search(program.rpath, name, &miss) { return hit }
            if usesProgramRunpath, let program, let hit = try search(program.runpath, name, &miss) { return hit }
        }
        if let hit = try search(libraryDirectories, name, &miss) { return hit }
        if let hit = try search(object.runpath, name, &miss) { return hit }
        if let hit = try searchCache(name, for: object, &miss) { return hit }
        if !object.usesNoDefaultLibraries, let hit = try search(environment.systemDirectories, name, &miss) {
            return hit
        }
        throw miss
    }

    /// `open_path`: each directory's variants before the directory. An error other than absence in a directory that
    /// exists ends the list.
    private func search(
        _ directories: [SearchDirectory], _ name: ByteString, _ miss: inout Miss
    ) throws(Miss) -> Hit? {
        for directory in directories {
            let path = directory.isRelative ? options.absolute(directory.path) : directory.path
            sightings?.look(for: name, in: path, environment)
            for subdirectory in environment.subdirectories(of: path, profile) {
                if var hit = try open(path + subdirectory + name, directory.place, &miss) {
                    hit.variant = ByteString(subdirectory.bytes.dropLast())
                    return hit
                }
            }
            if let hit = try open(path + name, directory.place, &miss) { return hit }
            if case .unreachable(let reason)? = miss.attempts.last?.rejection {
                switch reason {
                case .notFound, .permissionDenied, .notDirectory: break
                case .tooManyLinks, .invalidName, .failed:
                    if environment.catalog.root.isDirectory(path) { return nil }
                }
            }
        }
        return nil
    }

    private func searchCache(
        _ name: ByteString, for object: LoadedObject, _ miss: inout Miss
    ) throws(Miss) -> Hit? {
        sightings?.lookInCache(for: name, environment)
        guard
            let match = environment.cache?.path(
                of: name, flags: environment.cacheFlags, unspecific: environment.unspecificCacheFlags,
                capabilities: profile.capabilities)
        else {
            let rejection: CandidateRejection =
                environment.cache == nil && environment.cacheError == nil ? .unreachable(.notFound) : .notListed
            miss.attempts.append(SearchAttempt(path: LoaderEnvironment.cachePath, place: .cache, rejection: rejection))
            return nil
        }
        if object.usesNoDefaultLibraries,
            environment.constants.systemDirectories.contains(where: match.path.hasPrefix)
        {
            miss.attempts.append(
                SearchAttempt(path: match.path, place: .cache, rejection: .defaultLibraryForbidden))
            return nil
        }
        guard var hit = try open(options.absolute(match.path), .cache, &miss) else { return nil }
        hit.variant = match.capability.map { ByteString("glibc-hwcaps/") + $0 }
        if !isInSystemDirectories(name, hit.file, for: object) {
            let flags = environment.cache?.entries(named: name).first { $0.path == match.path }?.flags
            hit.cacheEntry = LdCacheLibrary(
                name: name, path: hit.file.literal, flags: flags ?? Self.anyMachine, capability: match.capability,
                order: environment.machine.header.byteOrder)
        }
        return hit
    }

    /// FLAG_ELF_LIBC6.
    private static let anyMachine: Int32 = 3

    /// Whether the search would have come to `file` without a cache.
    private func isInSystemDirectories(_ name: ByteString, _ file: ResolvedPath, for object: LoadedObject) -> Bool {
        guard !object.usesNoDefaultLibraries else { return false }
        var quiet = self
        quiet.sightings = nil
        var miss = Miss()
        let hit = try? quiet.search(environment.systemDirectories, name, &miss)
        return hit?.file.status.identity == file.status.identity
    }

    /// `open_verify`: nil goes on with the search, and the reason is among the attempts.
    private func open(_ path: ByteString, _ place: SearchPlace, _ miss: inout Miss) throws(Miss) -> Hit? {
        func reject(_ rejection: CandidateRejection) {
            miss.attempts.append(SearchAttempt(path: path, place: place, rejection: rejection))
        }
        let file: ResolvedPath
        do { file = try environment.catalog.root.resolve(path) } catch {
            reject(.unreachable(error.reason))
            return nil
        }
        guard file.status.kind == .regular else {
            reject(.unusable(.notRegularFile))
            miss.cause = .unusable
            throw miss
        }
        let content: FileContent
        do { content = try environment.catalog.content(of: file) } catch {
            reject(.unreadable(error.errno))
            return nil
        }
        if let rejection = environment.machine.rejection(of: content) {
            reject(rejection)
            guard case .unusable = rejection else { return nil }
            miss.cause = .unusable
            throw miss
        }
        guard let image = content.image else { return nil }
        return Hit(file: file, image: image, place: place)
    }
}
