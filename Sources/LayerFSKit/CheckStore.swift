public import Bytes
import ImageTransport
public import LayerStore
import Posix

/// Checks every byte of a store, and repairs what a good copy can be found of.
public struct CheckStore: Sendable {
    private let workspace: Workspace
    private let pool: WorkerPool

    /// - Parameter workspace: opened with `Store.Access.reading` to check, with `Store.Access.collecting` to repair.
    public init(_ workspace: Workspace, workers: Int? = nil) {
        self.workspace = workspace
        pool = WorkerPool(workers: workers)
    }

    /// - Parameter fast: believe files whose size, time, mode, owner and inode are those that are remembered, instead of reading
    ///   them. A writer who set the time back is not noticed then.
    /// - Throws: `LayerStoreError` when the store's own directories cannot be read; damage is reported, not thrown.
    public func run(fast: Bool = false, progress: ProgressMeter = .none) throws -> IntegrityReport {
        try IntegrityCheck(
            workspace.store, pool: pool, fast: fast, begin: { progress.begin("checking", total: $0) },
            advance: { try progress.advance(by: $0) }
        ).run()
    }

    /// Checks, and puts good copies in the place of what is missing or damaged: from nodes, from further stores, from the
    /// host's files, from cached layers, and from `places`, each an image layout or another store.
    ///
    /// - Returns: what was found, and of each damage whether it was repaired.
    public func repair(from places: [ByteString], progress: ProgressMeter = .none) throws -> IntegrityReport {
        var repaired: [IntegrityReport.Damage] = []
        while true {
            var report = try repairOnce(from: places, progress: progress)
            // A tree that was repaired tells of contents that nobody knew to be missing: look again.
            if report.damages.contains(where: { $0.repair != nil && $0.kind != .node && $0.paths.isEmpty }) {
                repaired += report.damages.filter { $0.repair != nil }
            } else {
                report.damages = repaired + report.damages
                return report
            }
        }
    }

    private func repairOnce(from places: [ByteString], progress: ProgressMeter) throws -> IntegrityReport {
        let report = try run(progress: progress)
        if report.damages.isEmpty { return report }
        let repair = try StoreRepair(workspace.store, report)
        progress.begin("repairing", total: 0)
        try repair.searchNodes()
        try repair.searchFurtherStores()
        try repair.searchHost()
        if !repair.missing.isEmpty { try search(cache: repair) }
        for place in places where !repair.missing.isEmpty {
            try repair.search(store: place)
            if !repair.missing.isEmpty { try search(layout: place, repair) }
        }
        return try repair.finish(report)
    }

    private func search(cache repair: StoreRepair) throws {
        guard let directory = workspace.store.cacheDirectory(LayerCache.directoryName) else { return }
        let search = Search(repair, origin: "a cached layer")
        try LayerFiles.forEach(amongFilesOf: directory, search.look)
    }

    private func search(layout place: ByteString, _ repair: StoreRepair) throws {
        let search = Search(repair, origin: "a layer of \(place)")
        try LayerFiles.forEach(in: place, search.look)
    }

    /// Looks for what is missing among the files of layers.
    private final class Search {
        private let repair: StoreRepair
        private let origin: String
        private var candidate: StoreRepair.Candidate?

        init(_ repair: StoreRepair, origin: String) { (self.repair, self.origin) = (repair, origin) }

        func look(_ event: LayerFiles.Event) throws {
            try Interruption.check()
            switch event {
            case .begin(let size): candidate = repair.mayWant(size: size) ? try .init(repair, origin: origin) : nil
            case .content(let piece): try candidate?.write(piece)
            case .end:
                try candidate?.finish()
                candidate = nil
            }
        }
    }
}
