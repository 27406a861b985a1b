import Bytes
import ELF
import Posix

/// The loading of one program's objects by musl's loader: `load_library` and `load_deps` of its ldso/dynlink.c.
///
/// One file per name: there is no cache, no variant for newer processors, no DT_SONAME, and no symbol version that a
/// library could lack.
struct MuslLoad: LoadNamespace {
    private let search: MuslSearch
    private let programPath: TreePath
    /// The loader, which is libc as well; nil when it cannot be read.
    private let loader: LoadedObject?
    private(set) var objects: [LoadedObject] = []
    private(set) var missingCount = 0
    /// The objects by the names that a search may ask for: none of those opened by a path, until a search meets them.
    private var shortNames: [ByteString: LoadedObject] = [:]
    private var identities: [FileIdentity: LoadedObject] = [:]

    init(_ search: MuslSearch, program: LoadedObject, loader: LoadedObject?) {
        self.search = search
        self.loader = loader
        programPath = program.file.path
        objects = [program]
    }

    /// Loads all that `object` needs, breadth first. Filters and auditors are unknown to musl.
    mutating func loadDependencies(of object: LoadedObject, into closure: inout ClosureBuilder) {
        var position = objects.firstIndex { $0 === object } ?? objects.endIndex
        while position < objects.endIndex {
            let needer = objects[position]
            if !needer.isListed {
                needer.isListed = true
                for name in needer.image.dynamic?.needed ?? [] { load(name, for: needer, into: &closure) }
            }
            position += 1
        }
    }

    private mutating func load(_ name: ByteString, for needer: LoadedObject, into closure: inout ClosureBuilder) {
        do { _ = try open(name, LoadReason(.needed, of: needer), for: needer, into: &closure) } catch {
            missingCount += 1
            closure.add(error, name: name, .needed, neededBy: needer.file.path, program: programPath)
        }
    }

    /// The object that `name` stands for: the loader, loaded before, or searched; added to the closure either way.
    mutating func open(
        _ name: ByteString, _ reason: LoadReason, for needer: LoadedObject, into closure: inout ClosureBuilder
    ) throws(LibrarySearch.Miss) -> LoadedObject {
        if let loader, search.isLoader(name) {
            closure.add(loaded: loader, reason, name: name)
            return loader
        }
        if let known = shortNames[name] {
            closure.add(loaded: known, reason, name: name)
            return known
        }
        let hit = try search.find(name, for: needer)
        closure.noteRelative(hit.place, name, needer)
        closure.add(hit, reason, name: name)
        if case .systemDirectory = hit.place, let file = search.pathFile {
            // Without it the loader would look elsewhere.
            closure.add(file, from: loader?.file.path ?? programPath, .pathFile, name: file.literal, .literal)
        }
        let wasSearched = !name.contains(UInt8(ascii: "/"))
        if let same = identities[hit.file.status.identity] {
            if wasSearched, let shortName = same.file.literal.split(on: UInt8(ascii: "/")).last,
                shortNames[shortName] == nil
            {
                shortNames[shortName] = same
            }
            return same
        }
        // A second libc, found by its path: musl takes itself instead.
        if let loader, search.isLibc(hit) { return loader }
        let object = search.object(hit, loader: needer)
        identities[hit.file.status.identity] = object
        if wasSearched { shortNames[name] = object }
        objects.append(object)
        return object
    }

    /// dlopen(3) searches as for a need of the program, whoever calls it.
    func caller(_ object: LoadedObject) -> LoadedObject { objects[0] }
}
