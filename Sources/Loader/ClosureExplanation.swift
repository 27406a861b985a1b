import Bytes

/// A closure as a tree of text: under each program what it brings, by which rule, and where it was found.
///
///     bash: /usr/bin/bash (dynamic executable, in PATH directory /usr/bin)
///     ├─ interpreter /lib64/ld-linux-x86-64.so.2 => /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 (by its path)
///     │    through /lib64, /usr/lib64/ld-linux-x86-64.so.2, /lib
///     └─ needed libc.so.6 => /usr/lib/x86_64-linux-gnu/libc.so.6 (in /etc/ld.so.cache)
///
/// Each file is unfolded once, under the one that loaded it first.
public struct ClosureExplanation: Sendable {
    private let closure: Closure
    private let children: [TreePath: [Child]]

    private enum Child: Sendable {
        case edge(ClosureEdge)
        case missing(UnresolvedDependency)
    }

    public init(_ closure: Closure) {
        self.closure = closure
        var children: [TreePath: [Child]] = [:]
        for edge in closure.edges {
            if let from = edge.from { children[from, default: []].append(.edge(edge)) }
        }
        for missing in closure.unresolved { children[missing.neededBy, default: []].append(.missing(missing)) }
        self.children = children
    }

    /// The lines, without line ends.
    public var lines: [String] {
        var printer = Printer(children: children)
        for program in closure.programs {
            let place = closure.edges.first { $0.from == nil && $0.name == program.request }?.place
            var line = "\(program.request): \(program.path) (\(program.kind.text)"
            if let place { line += ", \(place)" }
            printer.lines.append(line + ")")
            let links = closure.edges.first { $0.from == nil && $0.name == program.request }?.via ?? []
            printer.addLinks(links, indent: "")
            printer.unfold(program.path, indent: "")
        }
        return printer.lines + closure.notes.map { "note: \($0)" }
    }

    private struct Printer {
        let children: [TreePath: [Child]]
        var lines: [String] = []
        private var unfolded: Set<TreePath> = []

        init(children: [TreePath: [Child]]) { self.children = children }

        mutating func unfold(_ path: TreePath, indent: String) {
            guard unfolded.insert(path).inserted else { return }
            let all = children[path] ?? []
            for (index, child) in all.enumerated() {
                let isLast = index == all.count - 1
                let branch = indent + (isLast ? "└─ " : "├─ ")
                let below = indent + (isLast ? "   " : "│  ")
                switch child {
                case .edge(let edge): add(edge, branch: branch, below: below)
                case .missing(let missing):
                    lines.append("\(branch)\(missing.kind) \(missing.name): \(missing.cause)")
                    lines += missing.attempts.map { "\(below)  \($0)" }
                }
            }
        }

        private mutating func add(_ edge: ClosureEdge, branch: String, below: String) {
            let variant = edge.variant.map { ", variant \($0)" } ?? ""
            let note = edge.note.map { ", \($0)" } ?? ""
            let line = "\(branch)\(edge.kind) \(edge.name) => \(edge.to) (\(edge.place)\(variant)\(note))"
            // What was loaded before stands under the object that loaded it, with all it brought.
            if edge.place == .alreadyLoaded {
                lines.append(line)
            } else {
                let isRepeated = unfolded.contains(edge.to) && !(children[edge.to] ?? []).isEmpty
                lines.append(line + (isRepeated ? " …" : ""))
                addLinks(edge.via, indent: below)
                unfold(edge.to, indent: below)
            }
        }

        mutating func addLinks(_ links: [TreePath], indent: String) {
            guard !links.isEmpty else { return }
            lines.append("\(indent)  through \(links.map(\.description).joined(separator: ", "))")
        }
    }
}

extension RequestedProgram.Kind {
    /// As a person is told.
    var text: String {
        switch self {
        case .dynamicExecutable: "dynamic executable"
        case .staticExecutable: "static executable"
        case .staticPIE: "static position-independent executable"
        case .sharedObject: "shared object"
        case .script: "script"
        }
    }
}
