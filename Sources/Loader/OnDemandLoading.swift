import Bytes
import ELF
import Posix

/// Follows what the objects of a program load on demand, by their own notes and by rules, when all they need is loaded.
///
/// One value serves all processors that a program is loaded for: what the first of them does without, or lacks, is not
/// looked for again.
struct OnDemandLoading {
    let catalog: FileCatalog
    let program: TreePath
    let policy: ResolveOptions.DlopenPolicy
    let rules: RuleApplication
    private var leftOut: Set<Request> = []

    init(
        catalog: FileCatalog, program: TreePath, options: ResolveOptions, library: DependencyRule.Library,
        glibc: GlibcVersion?
    ) {
        self.catalog = catalog
        self.program = program
        policy = options.dlopen
        rules = RuleApplication(catalog: catalog, rules: options.rules, library: library, glibc: glibc)
    }

    /// One library that an object asks for, by the names tried for it.
    struct Request: Hashable {
        let object: TreePath
        let names: [ByteString]
        let kind: DependencyKind
        let necessity: Necessity
        var note: DlopenReason?
        /// The sonames of those that may open it; the object itself where none of them is loaded.
        var openers: [ByteString] = []
    }

    enum Necessity: Hashable {
        /// Unresolved when it is not found.
        case required
        /// Noted when it is not found.
        case optional
        /// Noted when it is found, and not taken.
        case mention(RuleID)
    }

    /// Loads into `namespace` what its objects ask for, those that come along included.
    mutating func follow(_ namespace: inout some LoadNamespace, into closure: inout ClosureBuilder) {
        var position = 0
        var fired: Set<RuleID> = []
        while position < namespace.objects.count {
            let object = namespace.objects[position]
            for request in notes(of: object, &closure) { follow(request, of: object, &namespace, &closure) }
            for wish in rules.wishes(of: object, fired: &fired) {
                switch wish {
                case .library(let request): follow(request, of: object, &namespace, &closure)
                case .note(let note): closure.add(note)
                case .file(let path, let rule):
                    guard let file = try? catalog.root.resolve(path), file.status.kind == .regular else { continue }
                    closure.add(file, from: object.file.path, .rule(rule.id), name: path, .literal)
                }
            }
            position += 1
        }
    }

    private func notes(of object: LoadedObject, _ closure: inout ClosureBuilder) -> [Request] {
        guard let weakest = policy.weakest else { return [] }
        let found = catalog.dlopenNotes(of: object.file, object.image)
        for error in found.errors { closure.add(.unreadableNote(error, of: object.file.path)) }
        return found.notes.filter { $0.priority >= weakest }.map { note in
            Request(
                object: object.file.path, names: note.sonames, kind: .dlopen,
                necessity: note.priority == .required ? .required : .optional,
                note: DlopenReason(priority: note.priority, feature: note.feature, purpose: note.purpose))
        }
    }

    /// The first name that can be loaded, with all it needs, will do.
    private mutating func follow<Namespace: LoadNamespace>(
        _ request: Request, of object: LoadedObject, _ namespace: inout Namespace, _ closure: inout ClosureBuilder
    ) {
        guard !leftOut.contains(request) else { return }
        let reason = LoadReason(request.kind, of: object, note: request.note)
        let opener = namespace.objects.first { request.openers.contains($0.image.dynamic?.soname ?? "") } ?? object
        var miss = LibrarySearch.Miss()
        // Where every build of a required library lacks something, the first one's lacks are reported.
        var incomplete: (Namespace, ClosureBuilder)?
        for name in request.names {
            var trial = (namespace: namespace, closure: closure)
            do {
                let library = try trial.namespace.open(
                    name, reason, for: trial.namespace.caller(opener), into: &trial.closure)
                trial.namespace.loadDependencies(of: library, into: &trial.closure)
                if trial.namespace.missingCount == namespace.missingCount {
                    take(trial, for: request, name, &namespace, &closure)
                    return
                }
                if incomplete == nil { incomplete = trial }
            } catch {
                miss.attempts += error.attempts
                if miss.cause == .notFound { miss.cause = error.cause }
            }
        }
        leftOut.insert(request)
        switch request.necessity {
        case .mention: break
        case .optional:
            closure.add(.onDemandMissing(names: request.names, kind: request.kind, of: request.object))
        case .required:
            if let incomplete {
                (namespace, closure) = incomplete
            } else {
                closure.add(
                    miss, name: request.names.first ?? "", request.kind, neededBy: request.object, program: program)
            }
        }
    }

    private func take<Namespace: LoadNamespace>(
        _ trial: (namespace: Namespace, closure: ClosureBuilder), for request: Request, _ name: ByteString,
        _ namespace: inout Namespace, _ closure: inout ClosureBuilder
    ) {
        if case .mention(let rule) = request.necessity {
            closure.add(.optionalModule(name: name, rule: rule, of: request.object))
            return
        }
        // What is loaded anyway is not there by a rule.
        if case .rule = request.kind, trial.namespace.objects.count == namespace.objects.count { return }
        (namespace, closure) = trial
    }
}
