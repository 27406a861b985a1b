public import Bytes
import Digests
import ImageTransport
public import LayerStore
public import Loader
import Packages
import Posix
import Synchronization
public import Trees

/// Makes layers of plans.
public struct AddLayers: Sendable {
    private let workspace: Workspace
    private let root: ByteString
    private let pool: WorkerPool

    /// - Parameter root: where the root of the plans' closures lies on this machine.
    public init(_ workspace: Workspace, root: ByteString = "/", workers: Int? = nil) {
        self.workspace = workspace
        self.root = root
        pool = WorkerPool(workers: workers)
    }

    /// What became of one request.
    public struct Addition: Sendable {
        public var name: Name
        public var outcome: CommitOutcome
        public var tree: Tree
        public var cost: LayerCost
    }

    /// Adds all of `requests`, whose closures must be complete, or none. They are let go of as soon as all is known of them: a plan may
    /// be of a million files.
    ///
    /// - Throws: ``UnresolvedClosure`` when something is missing, ``LayerFSError/conflictingSources(_:)`` when a plan
    ///   contradicts itself, ``LayerStoreError`` when a name is taken or the store cannot be written.
    public func run(
        _ requests: consuming [LayerRequest], replacing: Bool = false, progress: ProgressMeter = .none
    ) throws -> [Addition] {
        var requests = requests
        for request in requests { try UnresolvedClosure.check(request.plan) }
        let session = try workspace.store.beginAdding()
        let layers = try requests.map { request in
            try StagedLayer(request.plan, root: root, intake: session, pool: pool, progress: progress)
        }
        // Every reason to refuse is looked for before the first name is given.
        var trees: [Name: Tree] = [:]
        for (request, layer) in zip(requests, layers) {
            guard trees.updateValue(layer.tree, forKey: request.name) ?? layer.tree == layer.tree else {
                throw LayerFSError.repeatedName(request.name)
            }
        }
        let (isThere, costs) = try check(layers, requests.map(\.name), replacing: replacing, session)
        progress.begin("writing", total: 0)
        try Interruption.check()
        let areThere = isThere.allSatisfy { $0 }
        let (diffIDs, facts) = try examine(layers, of: requests, isThere, session, progress)
        requests = []
        // The records as well, so that all that is new gets its name at once.
        let staged = try zip(facts, diffIDs).map { fact, diffID -> StoreSession.StagedLayer? in
            guard let documents = fact.documents, let diffID else { return nil }
            return try session.stage(
                documents, source: fact.source, created: workspace.now, platform: fact.platform, diffID: diffID,
                cachedLibraries: fact.cachedLibraries)
        }
        // Of one new layer its commit publishes what waits, while the rows of the index are made.
        if areThere || facts.count > 1 { try session.publish(isNamed: areThere) }
        if areThere { try session.rememberTaken() }
        return try facts.indices.map { index in
            let (fact, layer) = (facts[index], layers[index])
            var outcome = CommitOutcome.unchanged
            if let staged = staged[index] {
                outcome = try session.commit(layer: fact.name, staged, replacing: replacing)
            }
            var cost = costs[index]
            (cost.newContents, cost.newBytes) = layer.news
            return Addition(name: fact.name, outcome: outcome, tree: layer.tree, cost: cost)
        }
    }

    /// Whether each layer has its name already, and what it costs: the one waits for nothing of the other.
    private func check(
        _ layers: [StagedLayer], _ names: [Name], replacing: Bool, _ session: StoreSession
    ) throws -> (isThere: [Bool], costs: [LayerCost]) {
        let costs = Background(pool) { layers.map { LayerCost($0.contents) { _ in false } } }
        let isThere = try zip(layers, names).map { layer, name in
            try session.checkAvailable(name, for: layer.tree, replacing: replacing)
        }
        return (isThere, try costs.value())
    }

    /// What the record of a layer says beside its tree.
    private struct Facts {
        let name: Name
        let source: String
        /// nil where there will be no record.
        var documents: StoreSession.StagedDocuments?
        var platform: String?
        var cachedLibraries: [CachedLibrary]?

        init(
            _ request: LayerRequest, owners: [TreePath: Provenance.Package], tree: Tree, isThere: Bool,
            _ session: StoreSession
        ) throws {
            (name, source) = (request.name, request.source)
            if isThere { return }
            documents = try session.stage(
                documentsOf: tree, Provenance(request.plan, owners: owners, tree: tree))
            platform = try request.plan.platform()
            cachedLibraries = request.plan.cachedLibraries
        }
    }

    private func owners(of requests: [LayerRequest]) throws(PackageDatabaseError) -> [TreePath: Provenance.Package] {
        var owners: [TreePath: Provenance.Package] = [:]
        // In parts, so that what is looked up for them stays small.
        var part: Set<TreePath> = []
        func look() throws(PackageDatabaseError) {
            let found = try DpkgDatabase(root: root).owners(of: Array(part)).mapValues(Provenance.Package.init)
            owners.merge(found) { first, _ in first }
            part = []
        }
        for request in requests {
            for entry in request.plan.entries {
                if let path = entry.rootPath { part.insert(path) }
                if part.count == 16_384 { try look() }
            }
        }
        try look()
        return owners
    }

    /// Finds out the diffIDs of the layers that are not there yet, and what else their records say, while the disk is busy with what
    /// was staged.
    private func examine(
        _ layers: [StagedLayer], of requests: [LayerRequest], _ isThere: [Bool], _ session: StoreSession,
        _ progress: ProgressMeter
    ) throws -> (diffIDs: [DiffID?], facts: [Facts]) {
        let total = zip(layers, isThere).reduce(0) { $1.1 ? $0 : $0 &+ $1.0.tree.size }
        if total > 0 { progress.begin("checking", total: total) }
        let diffIDs = Mutex([DiffID?](repeating: nil, count: layers.count))
        let found = Mutex<[Facts]>([])
        // Flushing first: an error of the disk is told before any that may follow from it.
        try WorkerPool(workers: 3).forEach(3) { part in
            if part == 0 {
                try session.flush()
                return try session.recordDepartures()
            }
            if part == 1 {
                let owners = try owners(of: isThere.contains(false) ? requests : [])
                let facts = try requests.indices.map { index in
                    try Facts(
                        requests[index], owners: owners, tree: layers[index].tree, isThere: isThere[index], session)
                }
                return found.withLock { $0 = facts }
            }
            for (index, layer) in layers.enumerated() where !isThere[index] {
                let diffID = try LayerPacking().measure(
                    layer.tree.entries.dropFirst(), from: session.contents,
                    progress: { try progress.advance(by: $0) }
                ).diffID
                diffIDs.withLock { $0[index] = diffID }
            }
        }
        return (diffIDs.withLock { $0 }, found.withLock { $0 })
    }
}

/// What a layer costs: all its distinct contents, and those of them that the store does not have.
public struct LayerCost: Hashable, Sendable {
    public var contents = 0
    public var bytes: UInt64 = 0
    public var newContents = 0
    public var newBytes: UInt64 = 0

    /// - Parameter isNew: whether the store lacks a content; asked once for each.
    init(
        _ contents: some Sequence<(digest: Digest, size: UInt64)>, isNew: (Digest) throws -> Bool
    ) rethrows {
        for content in contents {
            self.contents += 1
            bytes += content.size
            if try isNew(content.digest) {
                newContents += 1
                newBytes += content.size
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

    /// - Throws: itself, when one of the closures of `plan` is not complete.
    public static func check(_ plan: LayerPlan) throws(UnresolvedClosure) {
        for closure in plan.closures { try check(closure) }
    }
}
