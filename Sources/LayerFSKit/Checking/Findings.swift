import Bytes
import Loader
import Trees

/// What a check comes upon, sorted into what keeps programs from starting and what does not.
struct Findings {
    private let optional: Set<TreePath>
    /// The names of all files of the root.
    private let names: Set<ByteString>
    private var examined = 0
    private var problems: [RootCheck.Subject: Set<TreePath>] = [:]
    private var remarks: [RootCheck.Subject: Set<TreePath>] = [:]

    /// - Parameter optional: files that may lack what they need.
    init(_ tree: Tree, optional: Set<TreePath>) {
        self.optional = optional
        names = Set(tree.entries.lazy.filter { !$0.isDirectory }.map(\.path.name))
    }

    mutating func add(_ subject: RootCheck.Subject, for program: TreePath) {
        if optional.contains(program) {
            remarks[subject, default: []].insert(program)
        } else {
            problems[subject, default: []].insert(program)
        }
    }

    mutating func examine(_ path: TreePath, _ resolver: ClosureResolver) {
        do {
            if try resolver.examine(path) != nil { examined += 1 }
        } catch {
            examined += 1
            add(.program(error), for: path)
        }
    }

    /// Everything that was found, and what `closure` lacks.
    consuming func check(_ closure: Closure) -> RootCheck {
        let plugins = Set(closure.programs.lazy.filter { $0.kind == .sharedObject }.map(\.path))
        for dependency in closure.unresolved {
            let subject = RootCheck.Subject.unresolved(dependency.ofAnyProgram)
            // What a plugin needs of the program that loads it is loaded already then, wherever it lies.
            if plugins.contains(dependency.program), dependency.kind == .needed, names.contains(dependency.name) {
                remarks[subject, default: []].insert(dependency.program)
            } else {
                add(subject, for: dependency.program)
            }
        }
        var check = RootCheck()
        check.examined = examined
        check.problems = Self.sorted(problems)
        check.remarks = Self.sorted(remarks)
        return check
    }

    private static func sorted(_ found: [RootCheck.Subject: Set<TreePath>]) -> [RootCheck.Problem] {
        found.map { RootCheck.Problem(subject: $0, programs: $1.sorted()) }
            .sorted { ($0.programs[0], "\($0)") < ($1.programs[0], "\($1)") }
    }
}

extension UnresolvedDependency {
    /// The same for whatever program, so that one library that lacks something is told of once.
    fileprivate var ofAnyProgram: UnresolvedDependency {
        UnresolvedDependency(
            name: name, kind: kind, neededBy: neededBy, program: neededBy, attempts: attempts, cause: cause)
    }
}
