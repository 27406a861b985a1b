public import Bytes
import LayerStore
public import Trees

/// Tells why a path is in a root.
public struct WhyPath: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// Bytes that are not plain text are escaped as `\xNN`.
    public struct Answer: Sendable, Codable {
        /// Without links on the way to it.
        public var path: String
        public var kind: String
        /// Of a link.
        public var target: String?
        /// One for each layer that has the path, the lowest first.
        public var layers: [Reason]
    }

    /// Why one layer has the path.
    public struct Reason: Sendable, Codable {
        public var layer: String
        /// What was asked for, when it was no program: `package bash`, `preset certs`, `file ./motd`.
        public var origin: String?
        /// Whether layerfs made the content up.
        public var isGenerated: Bool
        /// Where the host has it; nil for what has no file there.
        public var source: String?
        /// `name version` of the Debian package that owns it.
        public var package: String?
        /// From what was asked for to the path, or, of a directory, to the first path in it that has a reason.
        public var chain: [Step]
        /// That path in the directory.
        public var example: String?
    }

    /// One file bringing in another.
    public struct Step: Sendable, Codable {
        /// Nil for a program that was asked for.
        public var from: String?
        public var to: String
        public var kind: String
        public var name: String?
        public var found: String?
        /// The links that it passes through.
        public var via: [String]
    }

    /// - Parameter path: absolute; links in it are followed as in the root, but not a last one.
    /// - Throws: ``LayerFSError/noSuchPath(_:in:)``.
    public func run(_ expression: RootExpression, _ path: ByteString) throws -> Answer {
        let selection = try workspace.select(expression)
        let composition = try workspace.compose(selection)
        let tree = composition.tree
        guard let asked = try? TreePath(path), let place = tree.place(of: asked), let entry = tree[place]
        else {
            throw LayerFSError.noSuchPath(path, in: expression)
        }
        var answer = Answer(path: place.description, kind: entry.kind.indexName, target: nil, layers: [])
        if case .symlink(let target) = entry.kind { answer.target = target.description }
        for layer in selection.layers {
            let own = try workspace.store.tree(of: layer.record)
            // A layer may have it under the name that leads through another layer's link.
            guard let path = [place, asked].first(where: { own[$0] != nil }) else { continue }
            let provenance = try workspace.store.provenance(of: layer.record)
            answer.layers.append(Self.reason(path, own, layer.name, provenance.map { ProvenanceChain($0) }))
        }
        for made in composition.contributions.dropFirst(selection.layers.count)
        where made.entries.contains(where: { $0.path == place && !$0.isDirectory }) {
            let origin = "libraries that the loader finds only through a cache"
            answer.layers.append(Reason(layer: made.name, origin: origin, isGenerated: true, chain: []))
        }
        return answer
    }

    private static func reason(
        _ path: TreePath, _ tree: Tree, _ layer: String, _ provenance: ProvenanceChain?
    ) -> Reason {
        var reason = Reason(layer: layer, isGenerated: false, chain: [])
        guard let provenance else { return reason }
        var subject = path
        if tree[path]?.isDirectory == true {
            let inside = tree.entries.lazy.filter { !$0.isDirectory && $0.path.isWithin(path) }.map(\.path)
                .first(where: provenance.knows)
            guard let inside else { return reason }
            subject = inside
            reason.example = inside.description
        }
        let origin = provenance.origin(of: subject)
        reason.origin = origin?.origin
        reason.isGenerated = subject == path && origin?.isGenerated == true
        if let origin, subject == path, !reason.isGenerated {
            reason.source = (origin.source ?? origin.path.bytes).description
            reason.package = origin.package.map { "\($0.name) \($0.version)" }
        }
        if origin?.origin == nil, let edges = provenance.edges(to: subject) {
            reason.chain = edges.map(Step.init)
            // A chain that begins with a file of a package, say, was asked for by asking for that.
            reason.origin = edges.first?.from.flatMap { provenance.origin(of: $0)?.origin }
        }
        return reason
    }
}

extension WhyPath.Step {
    init(_ edge: Provenance.Edge) {
        self.init(
            from: edge.from?.description, to: edge.to.description, kind: edge.kind, name: edge.name?.description,
            found: edge.found, via: (edge.via ?? []).map(\.description))
    }
}
