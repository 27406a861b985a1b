import Bytes
import ELF
import Posix

/// The loading of one program's objects in one namespace, on one kind of processor, by glibc's loader.
struct DynamicLoad: LoadNamespace {
    private var search: LibrarySearch
    private let programPath: TreePath
    /// Whether what is missing counts.
    private let reportsMissing: Bool
    private(set) var objects: [LoadedObject] = []
    private(set) var missingCount = 0
    /// The first object that answers to each name: names asked for, paths, sonames.
    private var names: [ByteString: LoadedObject] = [:]
    private var identities: [FileIdentity: LoadedObject] = [:]

    init(_ search: LibrarySearch, program: TreePath, reportsMissing: Bool) {
        self.search = search
        programPath = program
        self.reportsMissing = reportsMissing
    }

    /// Lets `object` answer to `aliases` and its soname. The kernel's own mappings, program and loader, have no
    /// identity to ld.so and are not merged with files opened later.
    mutating func register(_ object: LoadedObject, aliases: [ByteString], hasIdentity: Bool = true) {
        for name in aliases + [object.image.dynamic?.soname].compactMap({ $0 }) where names[name] == nil {
            names[name] = object
        }
        objects.append(object)
        if hasIdentity, identities[object.file.status.identity] == nil {
            identities[object.file.status.identity] = object
        }
    }

    /// Loads all that `object` needs, breadth first: `_dl_map_object_deps` of glibc's elf/dl-deps.c.
    mutating func loadDependencies(of object: LoadedObject, into closure: inout ClosureBuilder) {
        loadDependencies(of: object, after: [], into: &closure)
    }

    /// - Parameter preloaded: objects that go before all that `object` needs.
    mutating func loadDependencies(
        of object: LoadedObject, after preloaded: [LoadedObject], into closure: inout ClosureBuilder
    ) {
        var list = LoadList(object)
        for object in preloaded { list.append(object) }
        var next: Int? = list.first
        while let position = next {
            let needer = list.object(at: position)
            list.markDone(position)
            var insertion = position
            for dependency in needer.image.dynamic?.dependencies ?? [] {
                let kind = DependencyKind(dependency.kind)
                guard let loaded = load(dependency.name, kind, for: needer, into: &closure) else { continue }
                if dependency.kind == .needed {
                    list.append(loaded)
                } else {
                    insertion = list.insert(loaded, before: insertion)
                }
            }
            next = list.nextToDo(from: position)
        }
        for loaded in list.all { checkVersions(of: loaded, into: &closure) }
    }

    /// Reports symbol versions that `object` needs and the library that was loaded does not define, for which the
    /// loader refuses to start (_dl_check_map_versions in glibc's elf/dl-version.c). A library without any versions
    /// will do.
    private mutating func checkVersions(of object: LoadedObject, into closure: inout ClosureBuilder) {
        for need in object.image.dynamic?.versionNeeds ?? [] {
            guard let library = names[need.library], let dynamic = library.image.dynamic,
                dynamic.definesVersions
            else { continue }
            let missing = need.versions.filter { !$0.isWeak && !library.versions.contains($0.name) }.map(\.name)
            guard !missing.isEmpty else { continue }
            missingCount += 1
            guard reportsMissing else { continue }
            closure.add(
                UnresolvedDependency(
                    name: need.library, kind: .needed, neededBy: object.file.path, program: programPath,
                    attempts: [], cause: .missingVersions(missing)))
        }
    }

    /// The object that `name` stands for; nil, and reported, when there is none.
    mutating func load(
        _ name: ByteString, _ kind: DependencyKind, for needer: LoadedObject, into closure: inout ClosureBuilder
    ) -> LoadedObject? {
        guard !Self.kernelObjects.contains(name) else { return nil }
        do { return try open(name, LoadReason(kind, of: needer), for: needer, into: &closure) } catch {
            report(name, kind, needer, error, &closure)
            return nil
        }
    }

    /// The sonames of what the kernel maps into every process (vdso(7)): loaded before everything, and no files.
    private static let kernelObjects: Set<ByteString> = [
        "linux-vdso.so.1", "linux-gate.so.1", "linux-vdso32.so.1", "linux-vdso64.so.1",
    ]

    mutating func open(
        _ name: ByteString, _ reason: LoadReason, for needer: LoadedObject, into closure: inout ClosureBuilder
    ) throws(LibrarySearch.Miss) -> LoadedObject {
        guard let name = expand(name, for: needer) else { throw LibrarySearch.Miss(cause: .tokenWithoutValue) }
        if let known = names[name] {
            closure.add(loaded: known, reason, name: name)
            return known
        }
        let hit: LibrarySearch.Hit
        do { hit = try search.find(name, for: needer) } catch {
            var miss = error
            if miss.cause == .notFound, let variants = search.sightings?.paths[name] {
                miss.cause = .onlyVariants(variants)
            }
            throw miss
        }
        closure.noteRelative(hit.place, name, needer)
        closure.add(hit, reason, name: name)
        if let same = identities[hit.file.status.identity] {
            // Two names of one inode: the loader opens both and keeps the first, so both must exist.
            names[name] = same
            return same
        }
        let object = LoadedObject(
            hit.file, hit.image, loader: needer,
            tokens: search.tokens(origin: hit.file.literal.directoryText, like: needer.tokens))
        register(object, aliases: [name, hit.file.literal])
        return object
    }

    /// dlopen(3) searches as for a need of the object that calls it.
    func caller(_ object: LoadedObject) -> LoadedObject { object }

    /// A setuid program must not use tokens in names at all (expand_dst in glibc's elf/dl-deps.c).
    private func expand(_ name: ByteString, for needer: LoadedObject) -> ByteString? {
        guard StringTokens.contains(name) else { return name }
        guard needer.tokens.trustedDirectories == nil else { return nil }
        return needer.tokens.expand(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    private mutating func report(
        _ name: ByteString, _ kind: DependencyKind, _ needer: LoadedObject, _ miss: LibrarySearch.Miss,
        _ closure: inout ClosureBuilder
    ) {
        let isOptional = kind == .auxiliary || kind == .audit || kind == .preload
        if !isOptional { missingCount += 1 }
        guard reportsMissing else { return }
        if isOptional {
            closure.add(.optionalMissing(name: name, kind: kind, neededBy: needer.file.path))
        } else {
            closure.add(miss, name: name, kind, neededBy: needer.file.path, program: programPath)
        }
    }
}

extension ClosureBuilder {
    /// Takes down that `name` was found by something that depends on where the program is started.
    mutating func noteRelative(_ place: SearchPlace, _ name: ByteString, _ needer: LoadedObject) {
        let text: ByteString
        switch place {
        case .literal: text = name
        case .rpath(let element, _), .runpath(let element, _):
            // What an element expands to begins as the element does, or with a directory's absolute path.
            text = element.bytes.first == UInt8(ascii: "$") ? "/" : element
        default: return
        }
        if text.bytes.first != UInt8(ascii: "/") { add(.relativePath(text, of: needer.file.path)) }
    }
}

extension DependencyKind {
    init(_ kind: DynamicSection.Dependency.Kind) {
        switch kind {
        case .needed: self = .needed
        case .filter: self = .filter
        case .auxiliary: self = .auxiliary
        }
    }
}

extension ByteString {
    /// What dirname(3) says of an absolute path: the text before the last slash, or the root.
    var directoryText: ByteString {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return "/" }
        return ByteString(bytes[..<slash])
    }
}
