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

    /// Adds all of `requests`, whose closures must be complete, or none.
    ///
    /// - Throws: ``UnresolvedClosure`` when something is missing, ``LayerFSError/conflictingSources(_:)`` when a plan
    ///   contradicts itself, ``LayerStoreError`` when a name is taken or the store cannot be written.
    public func run(
        _ requests: [LayerRequest], replacing: Bool = false, progress: ProgressMeter = .none
    ) throws -> [Addition] {
        for request in requests { try UnresolvedClosure.check(request.plan) }
        let session = try workspace.store.beginAdding()
        let layers = try requests.map { request in
            try StagedLayer(request.plan, root: root, intake: session, pool: pool, progress: progress)
        }
        // Every reason to refuse is looked for before the first name is given.
        var trees: [Name: Tree] = [:]
        let isThere = try zip(requests, layers).map { request, layer in
            guard trees.updateValue(layer.tree, forKey: request.name) ?? layer.tree == layer.tree else {
                throw LayerFSError.repeatedName(request.name)
            }
            return try session.checkAvailable(request.name, for: layer.tree, replacing: replacing)
        }
        progress.begin("writing", total: 0)
        try Interruption.check()
        let areThere = isThere.allSatisfy { $0 }
        let (diffIDs, owners) = try examine(layers, of: areThere ? [] : requests, isThere, session, progress)
        var news = NewContents(try session.publish(isNamed: areThere))
        if areThere { try session.rememberTaken() }
        return try requests.indices.map { index in
            let (request, layer) = (requests[index], layers[index])
            var outcome = CommitOutcome.unchanged
            if let diffID = diffIDs[index] {
                outcome = try session.commit(
                    layer: request.name, tree: layer.tree,
                    provenance: Provenance(request.plan, owners: owners, tree: layer.tree),
                    source: request.source, created: workspace.now, platform: try request.plan.platform(),
                    diffID: diffID, cachedLibraries: request.plan.cachedLibraries, replacing: replacing)
            }
            // New for the first layer that brings it only.
            let cost = LayerCost(layer.contents) { news.take($0) }
            return Addition(name: request.name, outcome: outcome, tree: layer.tree, cost: cost)
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
                if part.count == 65_536 { try look() }
            }
        }
        try look()
        return owners
    }

    /// Finds out the diffIDs of the layers that are not there yet, and who owns the files of `requests`, while the disk is busy
    /// with what was staged.
    private func examine(
        _ layers: [StagedLayer], of requests: [LayerRequest], _ isThere: [Bool], _ session: StoreSession,
        _ progress: ProgressMeter
    ) throws -> (diffIDs: [DiffID?], owners: [TreePath: Provenance.Package]) {
        let total = zip(layers, isThere).reduce(0) { $1.1 ? $0 : $0 &+ $1.0.tree.size }
        if total > 0 { progress.begin("checking", total: total) }
        let diffIDs = Mutex([DiffID?](repeating: nil, count: layers.count))
        let found = Mutex<[TreePath: Provenance.Package]>([:])
        // Flushing first: an error of the disk is told before any that may follow from it.
        try WorkerPool(workers: 3).forEach(3) { part in
            if part == 0 { return try session.flush() }
            if part == 1 {
                let owners = try owners(of: requests)
                return found.withLock { $0 = owners }
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

/// Contents that the store did not have, each to be taken once.
private struct NewContents {
    private let digests: [Digest]
    private var isTaken: [Bool]

    init(_ digests: consuming [Digest]) {
        // In place: there may be a million.
        digests.sort()
        self.digests = digests
        isTaken = [Bool](repeating: false, count: digests.count)
    }

    /// Whether `digest` is one of them that was not taken before.
    mutating func take(_ digest: Digest) -> Bool {
        var (low, high) = (0, digests.count)
        while low < high {
            let middle = (low + high) / 2
            if digests[middle] < digest { low = middle + 1 } else { high = middle }
        }
        guard low < digests.count, digests[low] == digest, !isTaken[low] else { return false }
        isTaken[low] = true
        return true
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
