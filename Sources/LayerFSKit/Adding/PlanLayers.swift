public import Bytes
public import Loader
import Packages
import Trees

/// Finds out what layers a request makes, without a store: what is missing leaves no trace.
public struct PlanLayers: Sendable {
    private let root: ByteString
    private let searchPath: [ByteString]
    private let home: ByteString?
    private let options: ResolveOptions

    /// - Parameters:
    ///   - root: the directory that is taken as `/` where programs and packages are looked for.
    ///   - searchPath: where programs are looked up by name.
    ///   - home: the home directory of whoever runs layerfs, whose files are not taken unless they are allowed.
    ///   - options: what is chosen about closures; its path is not used.
    public init(
        root: ByteString = "/", searchPath: [ByteString], home: ByteString? = nil,
        options: ResolveOptions = ResolveOptions()
    ) {
        self.root = root
        self.searchPath = searchPath
        self.home = home
        self.options = options
    }

    /// The layers of `request`, whose closures are complete.
    ///
    /// - Throws: ``UnresolvedClosure``, `ProgramError`, `PackageDatabaseError`; ``LayerFSError`` for what is not there, or may
    ///   not be added.
    public func run(_ request: AddRequest) throws -> [LayerRequest] {
        let extras = try ExtrasPlanner(request, root: root, home: home, options: options)
        var layers =
            try programLayers(request, extras) + packageLayers(request, extras)
            + presetLayers(request, extras)
        if let name = request.name {
            var plan = LayerPlan()
            for layer in layers { plan.unite(layer.plan) }
            layers = [LayerRequest(name: name, plan: plan, source: request.source)]
        }
        if request.hasExtras {
            guard layers.count == 1 else {
                throw LayerFSError.nameNeeded(
                    layers.isEmpty
                        ? "files, directories and traces have no name of their own"
                        : "the files, directories and traces could belong to any of \(layers.count) layers")
            }
            layers[0].plan.unite(try extras.plan())
            layers[0].source = request.source
        }
        for layer in layers { try extras.filter.check(layer.plan) }
        if root != RootDirectory.machine {
            for index in layers.indices { layers[index].source += " --root \(root)" }
        }
        return layers
    }

    /// A layer of each program; with a name given, one of all.
    private func programLayers(_ request: AddRequest, _ extras: ExtrasPlanner) throws -> [LayerRequest] {
        let resolve = ResolvePrograms(root: root, searchPath: searchPath, options: options)
        let groups = request.name == nil ? request.programs.map { [$0] } : [request.programs].filter { !$0.isEmpty }
        return try zip(groups, resolve.closures(of: groups)).map { programs, closure in
            try UnresolvedClosure.check(closure)
            var plan = try LayerPlan(closure)
            if request.takesRestOfPackage {
                plan.unite(try PackagePlanner(extras, root: root).rest(of: closure.programs.map(\.path)))
            }
            for preset in request.programPresets { plan.unite(try PresetPlanner(extras).plan(preset)) }
            var source = AddRequest()
            (source.programs, source.programPresets) = (programs, request.programPresets)
            return LayerRequest(name: try request.name ?? Self.name(of: closure), plan: plan, source: source.source)
        }
    }

    /// A layer of each package.
    private func packageLayers(_ request: AddRequest, _ extras: ExtrasPlanner) throws -> [LayerRequest] {
        guard !request.packages.isEmpty else { return [] }
        let planner = PackagePlanner(extras, root: root)
        return try planner.plans(of: request.packages).map { package, plan in
            LayerRequest(
                name: try request.name ?? Self.layerName(package.name), plan: plan,
                source: "layerfs add --package \(package.name)")
        }
    }

    /// A layer of each preset.
    private func presetLayers(_ request: AddRequest, _ extras: ExtrasPlanner) throws -> [LayerRequest] {
        try request.presets.map { preset in
            LayerRequest(
                name: try request.name ?? Self.layerName(ByteString(preset)),
                plan: try PresetPlanner(extras).plan(preset),
                source: "layerfs add --preset \(preset)")
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
