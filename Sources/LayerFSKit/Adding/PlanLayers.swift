public import Bytes
import Loader
import Trees

/// Finds out what layers a request makes, without a store: what is missing leaves no trace.
public struct PlanLayers: Sendable {
    private let root: ByteString
    private let searchPath: [ByteString]

    /// - Parameters:
    ///   - root: the directory that is taken as `/` where programs and packages are looked for.
    ///   - searchPath: where programs are looked up by name.
    public init(root: ByteString = "/", searchPath: [ByteString]) {
        self.root = root
        self.searchPath = searchPath
    }

    /// The layers of `request`, whose closures are complete.
    ///
    /// - Throws: ``UnresolvedClosure``, `ProgramError`, or ``LayerFSError/unsuitableName(_:)`` when a program's name cannot
    ///   be a layer's.
    public func run(_ request: AddRequest) throws -> [LayerRequest] {
        let resolve = ResolvePrograms(root: root, searchPath: searchPath)
        let groups = request.name == nil ? request.programs.map { [$0] } : [request.programs]
        return try zip(groups, resolve.closures(of: groups)).map { programs, closure in
            try UnresolvedClosure.check(closure)
            return LayerRequest(
                name: try request.name ?? Self.name(of: closure), plan: try LayerPlan(closure),
                source: "layerfs add \(programs.map(\.description).joined(separator: " "))")
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
