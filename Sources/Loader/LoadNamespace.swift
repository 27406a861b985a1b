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
    mutating func add(
        _ found: ResolvedPath, _ reason: LoadReason, name: ByteString, _ place: SearchPlace, variant: ByteString? = nil
    ) {
        add(found, from: reason.from, reason.kind, name: name, place, variant: variant, note: reason.note)
    }

    mutating func add(
        _ miss: LibrarySearch.Miss, name: ByteString, _ kind: DependencyKind, neededBy: TreePath, program: TreePath
    ) {
        add(
            UnresolvedDependency(
                name: name, kind: kind, neededBy: neededBy, program: program, attempts: miss.attempts,
                cause: miss.cause))
    }
}
