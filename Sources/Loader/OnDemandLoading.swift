import Bytes
import ELF
import Posix

/// Follows what the objects of a program load on demand, when all they need is loaded.
///
/// One value serves all processors that a program is loaded for: what the first of them does without, or lacks, is not
/// looked for again.
struct OnDemandLoading {
    let catalog: FileCatalog
    let program: TreePath
    let options: ResolveOptions
    private var leftOut: Set<Request> = []

    init(catalog: FileCatalog, program: TreePath, options: ResolveOptions) {
        self.catalog = catalog
        self.program = program
        self.options = options
    }

    /// One library that an object asks for, by the names tried for it.
    struct Request: Hashable {
        let object: TreePath
        let names: [ByteString]
        let kind: DependencyKind
        let isRequired: Bool
        var note: DlopenReason?
    }

    /// Loads into `namespace` what its objects ask for, those that come along included.
    mutating func follow(_ namespace: inout some LoadNamespace, into closure: inout ClosureBuilder) {
        var position = 0
        while position < namespace.objects.count {
            let object = namespace.objects[position]
            for request in requests(of: object, &closure) where !leftOut.contains(request) {
                follow(request, of: object, &namespace, &closure)
            }
            position += 1
        }
    }

    private func requests(of object: LoadedObject, _ closure: inout ClosureBuilder) -> [Request] {
        guard let weakest = options.dlopen.weakest else { return [] }
        let found = catalog.dlopenNotes(of: object.file, object.image)
        for error in found.errors { closure.add(.unreadableNote(error, of: object.file.path)) }
        return found.notes.filter { $0.priority >= weakest }.map { note in
            Request(
                object: object.file.path, names: note.sonames, kind: .dlopen, isRequired: note.priority == .required,
                note: DlopenReason(priority: note.priority, feature: note.feature, purpose: note.purpose))
        }
    }

    /// The first name that can be loaded, with all it needs, will do.
    private mutating func follow<Namespace: LoadNamespace>(
        _ request: Request, of object: LoadedObject, _ namespace: inout Namespace, _ closure: inout ClosureBuilder
    ) {
        let reason = LoadReason(request.kind, of: object, note: request.note)
        var miss = LibrarySearch.Miss()
        // Of a required library all whose builds lack something, the first one's lacks are reported.
        var incomplete: (Namespace, ClosureBuilder)?
        for name in request.names {
            var trial = (namespace: namespace, closure: closure)
            do {
                let library = try trial.namespace.open(
                    name, reason, for: trial.namespace.caller(object), into: &trial.closure)
                trial.namespace.loadDependencies(of: library, into: &trial.closure)
                if trial.namespace.missingCount == namespace.missingCount {
                    (namespace, closure) = trial
                    return
                }
                if incomplete == nil { incomplete = trial }
            } catch {
                miss.attempts += error.attempts
                if miss.cause == .notFound { miss.cause = error.cause }
            }
        }
        leftOut.insert(request)
        guard request.isRequired else {
            closure.add(.onDemandMissing(names: request.names, kind: request.kind, of: request.object))
            return
        }
        if let incomplete {
            (namespace, closure) = incomplete
        } else {
            closure.add(miss, name: request.names[0], request.kind, neededBy: request.object, program: program)
        }
    }
}
