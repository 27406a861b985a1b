import Bytes
public import Loader

/// A closure as data: what `resolve --json` says. Bytes that are not plain text are escaped as `\xNN`.
public struct ClosureReport: Sendable, Codable {
    public var programs: [Program]
    public var files: [File]
    public var edges: [Edge]
    public var unresolved: [Unresolved]
    public var notes: [String]

    public struct Program: Sendable, Codable {
        public var request: String
        public var opened: String
        public var path: String
        public var kind: String
    }

    public struct File: Sendable, Codable {
        public var path: String
        public var kind: String
        /// Of a regular file.
        public var size: UInt64?
        /// Of a link.
        public var target: String?
    }

    public struct Edge: Sendable, Codable {
        public var from: String?
        public var to: String
        public var kind: String
        public var name: String
        public var opened: String
        public var found: String
        public var variant: String?
    }

    public struct Unresolved: Sendable, Codable {
        public var name: String
        public var kind: String
        public var neededBy: String
        public var program: String
        public var cause: String
        public var tried: [Attempt]
    }

    public struct Attempt: Sendable, Codable {
        public var path: String
        public var place: String
        public var rejection: String
    }

    public init(_ closure: Closure) {
        programs = closure.programs.map {
            Program(
                request: $0.request.description, opened: $0.literalPath.description, path: $0.path.description,
                kind: $0.kind.rawValue)
        }
        files = closure.files.map { file in
            switch file.kind {
            case .file(let size, _): File(path: file.path.description, kind: "file", size: size)
            case .symlink(let target): File(path: file.path.description, kind: "symlink", target: target.description)
            case .directory: File(path: file.path.description, kind: "directory")
            }
        }
        edges = closure.edges.map {
            Edge(
                from: $0.from?.description, to: $0.to.description, kind: $0.kind.rawValue, name: $0.name.description,
                opened: $0.openedAs.description, found: $0.place.provenanceText, variant: $0.variant?.description)
        }
        unresolved = closure.unresolved.map { dependency in
            Unresolved(
                name: dependency.name.description, kind: dependency.kind.rawValue,
                neededBy: dependency.neededBy.description, program: dependency.program.description,
                cause: "\(dependency.cause)",
                tried: dependency.attempts.map {
                    Attempt(path: $0.path.description, place: "\($0.place)", rejection: "\($0.rejection)")
                })
        }
        notes = closure.notes.map { "\($0)" }
    }
}
