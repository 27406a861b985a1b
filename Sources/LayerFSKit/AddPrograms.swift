public import Bytes
public import LayerStore
import Digests
import ImageTransport
public import Loader
import Packages
import Posix
public import Trees

/// Makes layers of closures.
public struct AddPrograms: Sendable {
    private let workspace: Workspace
    private let root: ByteString
    private let pool: WorkerPool

    /// - Parameter root: where the root of the closures lies on this machine.
    public init(_ workspace: Workspace, root: ByteString = "/", workers: Int? = nil) {
        self.workspace = workspace
        self.root = root
        pool = WorkerPool(workers: workers)
    }

    /// A closure that is to become a layer.
    public struct Request: Sendable {
        public var name: Name
        public var closure: Closure

        public init(name: Name, closure: Closure) { (self.name, self.closure) = (name, closure) }

        /// A layer of one program, named as the program is.
        ///
        /// - Throws: ``LayerFSError/unsuitableName(_:)`` when the program's name cannot be a layer's.
        public init(_ closure: Closure) throws(LayerFSError) {
            let path = closure.programs.first?.literalPath ?? ""
            let base = path.split(on: UInt8(ascii: "/")).last ?? ""
            guard let text = base.utf8Text, let name = try? Name(text) else {
                throw .unsuitableName(base.description)
            }
            self.init(name: name, closure: closure)
        }
    }

    /// What became of one request.
    public struct Addition: Sendable {
        public var name: Name
        public var outcome: CommitOutcome
        public var tree: Tree
        /// The contents of the layer that the store did not have.
        public var newContents: Int
        public var newBytes: UInt64
        /// All distinct contents of the layer.
        public var contents: Int
        public var bytes: UInt64
    }

    /// Adds all of `requests`, whose closures must be complete, or none.
    ///
    /// - Throws: ``UnresolvedClosure`` when something is missing, ``LayerStoreError`` when a name is taken or the store
    ///   cannot be written.
    public func run(_ requests: [Request], replacing: Bool = false, progress: ProgressMeter = .none) throws -> [Addition] {
        for request in requests { try UnresolvedClosure.check(request.closure) }
        let session = try workspace.store.beginAdding()
        let layers = try requests.map { request in
            try ClosureLayer(request.closure, root: root, session: session, pool: pool, progress: progress)
        }
        let isThere = try zip(requests, layers).map { request, layer in
            try session.checkAvailable(request.name, for: layer.tree, replacing: replacing)
        }
        progress.begin("writing", total: 0)
        try Interruption.check()
        var news = Set(try session.publish())
        let owners = isThere.allSatisfy { $0 } ? [:] : try owners(of: requests)
        return try zip(zip(requests, layers), isThere).map { pair, isThere in
            let (request, layer) = pair
            let outcome =
                isThere
                ? .unchanged : try commit(request, layer, owners, replacing: replacing, in: session, progress)
            return Addition(name: request.name, outcome: outcome, layer: layer, news: &news)
        }
    }

    private func owners(of requests: [Request]) throws -> [TreePath: Provenance.Package] {
        let paths = Set(requests.flatMap { $0.closure.files.map(\.path) })
        return try DpkgDatabase(root: root).owners(of: Array(paths)).mapValues(Provenance.Package.init)
    }

    private func commit(
        _ request: Request, _ layer: ClosureLayer, _ owners: [TreePath: Provenance.Package], replacing: Bool,
        in session: StoreSession, _ progress: ProgressMeter
    ) throws -> CommitOutcome {
        progress.begin("checking", total: layer.tree.size)
        let tar = try LayerPacking().measure(
            Array(layer.tree.entries.dropFirst()), from: workspace.store.blobs,
            progress: { try progress.advance(by: $0) })
        return try session.commit(
            layer: request.name, tree: layer.tree, provenance: Provenance(request.closure, owners: owners),
            source: "layerfs add \(request.closure.programs.map(\.request.description).joined(separator: " "))",
            created: workspace.now, platform: try request.closure.platform(), diffID: tar.diffID, replacing: replacing,
            known: layer.sources)
    }
}

extension AddPrograms.Addition {
    /// - Parameter news: the contents that are new to the store; what this layer brings is taken out, so that it is
    ///   counted for the first layer only.
    fileprivate init(name: Name, outcome: CommitOutcome, layer: ClosureLayer, news: inout Set<Digest>) {
        self.init(name: name, outcome: outcome, tree: layer.tree, newContents: 0, newBytes: 0, contents: 0, bytes: 0)
        var counted: Set<Digest> = []
        for source in layer.sources where source.size > 0 && counted.insert(source.digest).inserted {
            contents += 1
            bytes += source.size
            if news.remove(source.digest) != nil {
                newContents += 1
                newBytes += source.size
            }
        }
    }
}

/// A closure that lacks something.
public struct UnresolvedClosure: Error {
    /// Never empty.
    public let dependencies: [UnresolvedDependency]

    /// - Throws: itself, when `closure` is not complete.
    public static func check(_ closure: Closure) throws(UnresolvedClosure) {
        if !closure.isComplete { throw UnresolvedClosure(dependencies: closure.unresolved) }
    }
}
