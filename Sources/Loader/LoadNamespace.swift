import Bytes
import ELF
import Posix

/// The objects that a loader, glibc's or musl's, has loaded for one program, and how it loads more.
protocol LoadNamespace {
    /// In the order of loading, the program first.
    var objects: [LoadedObject] { get }
    /// How many needs of objects were not satisfied.
    var missingCount: Int { get }

    /// The object that `name` stands for: loaded before, or searched; added to the closure either way.
    ///
    /// - Parameter needer: the object whose search paths count.
    mutating func open(
        _ name: ByteString, _ reason: LoadReason, for needer: LoadedObject, into closure: inout ClosureBuilder
    ) throws(LibrarySearch.Miss) -> LoadedObject

    /// Loads all that `object` needs; what is not found is reported.
    mutating func loadDependencies(of object: LoadedObject, into closure: inout ClosureBuilder)

    /// The object whose search paths count when `object` calls dlopen(3).
    func caller(_ object: LoadedObject) -> LoadedObject
}

/// Why an object is loaded.
struct LoadReason {
    let kind: DependencyKind
    /// The file that asks for it.
    let from: TreePath
    var note: DlopenReason?

    init(_ kind: DependencyKind, of object: LoadedObject, note: DlopenReason? = nil) {
        self.kind = kind
        from = object.file.path
        self.note = note
    }
}

extension ClosureBuilder {
    /// Adds the file that was loaded, and why.
    mutating func add(_ hit: LibrarySearch.Hit, _ reason: LoadReason, name: ByteString) {
        add(
            hit.file, from: reason.from, reason.kind, name: name, hit.place, variant: hit.variant, note: reason.note,
            cacheEntry: hit.cacheEntry)
    }

    /// Adds the reason for a file that was loaded before.
    mutating func add(loaded object: LoadedObject, _ reason: LoadReason, name: ByteString) {
        add(object.file, from: reason.from, reason.kind, name: name, .alreadyLoaded, note: reason.note)
    }

    /// Adds what was looked for in vain.
    mutating func add(
        _ miss: LibrarySearch.Miss, name: ByteString, _ kind: DependencyKind, neededBy: TreePath, program: TreePath
    ) {
        add(
            UnresolvedDependency(
                name: name, kind: kind, neededBy: neededBy, program: program, attempts: miss.attempts,
                cause: miss.cause))
    }
}
