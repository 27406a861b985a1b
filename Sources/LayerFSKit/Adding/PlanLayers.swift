public import Bytes
import Loader
import Trees

/// Finds out what layers a request makes, without a store: what is missing leaves no trace.
public struct PlanLayers: Sendable {
    private let root: ByteString
    private let searchPath: [ByteString]
    private let home: ByteString?

    /// - Parameters:
    ///   - root: the directory that is taken as `/` where programs and packages are looked for.
    ///   - searchPath: where programs are looked up by name.
    ///   - home: the home directory of whoever runs layerfs, whose files are not taken unless they are allowed.
    public init(root: ByteString = "/", searchPath: [ByteString], home: ByteString? = nil) {
        self.root = root
        self.searchPath = searchPath
        self.home = home
    }

    /// The layers of `request`, whose closures are complete.
    ///
    /// - Throws: ``UnresolvedClosure``, `ProgramError`; ``LayerFSError`` for what is not there, or may not be added.
    public func run(_ request: AddRequest) throws -> [LayerRequest] {
        var layers = try groups(request)
        if request.hasExtras {
            let planner = try ExtrasPlanner(request, home: home)
            if layers.isEmpty, let name = request.name {
                layers = [LayerRequest(name: name, plan: LayerPlan(), source: request.source([]))]
            }
            guard layers.count == 1 else {
                throw LayerFSError.nameNeeded(
                    layers.isEmpty
                        ? "files and directories have no name of their own"
                        : "the files and directories could belong to any of \(layers.count) layers")
            }
            layers[0].plan.unite(try planner.plan())
        }
        return layers
    }

    /// The layers of what has a name of its own.
    private func groups(_ request: AddRequest) throws -> [LayerRequest] {
        let resolve = ResolvePrograms(root: root, searchPath: searchPath)
        let groups = request.name == nil ? request.programs.map { [$0] } : [request.programs].filter { !$0.isEmpty }
        return try zip(groups, resolve.closures(of: groups)).map { programs, closure in
            try UnresolvedClosure.check(closure)
            return LayerRequest(
                name: try request.name ?? Self.name(of: closure), plan: try LayerPlan(closure),
                source: request.source(programs.map(\.description)))
        }
    }

    /// The name of a layer of one program: as the program is called.
    private static func name(of closure: Closure) throws(LayerFSError) -> Name {
        let path = closure.programs.first?.literalPath ?? ""
        return try layerName(path.split(on: UInt8(ascii: "/")).last ?? "")
    }

    private static func layerName(_ name: ByteString) throws(LayerFSError) -> Name {
        guard let text = name.utf8Text, let name = try? Name(text) else { throw .unsuitableName(name.description) }
        return name
    }
}
