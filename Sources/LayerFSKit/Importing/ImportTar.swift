public import Bytes
import Digests
import ImageTransport
import LayerStore
import OCI
import Posix
import Trees

/// Takes a tar into the store, as a layer.
public struct ImportTar: Sendable {
    private let workspace: Workspace

    /// - Parameter workspace: opened with `Store.Access.adding`.
    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// Imports the tar at `path`, compressed or not; ``ImportSource/standardInput`` is standard input.
    ///
    /// - Throws: `TransportError` and `TarError` for what is wrong with it; ``LayerStoreError/nameTaken(_:detail:)``.
    public func run(
        _ path: ByteString, _ options: ImportOptions, progress: ProgressMeter = .none
    ) throws -> ImportSummary {
        guard let name = options.name else { throw LayerFSError.importNameNeeded("a tar has no name of its own") }
        let file = try path == ImportSource.standardInput ? StandardInput.take() : Files.open(path, [.readOnly])
        let session = try workspace.store.beginAdding()
        progress.begin("reading", total: try file.status().size)
        let intake = try StagingIntake(session)
        var stream = LayerStream(limit: options.limit, intake: intake)
        try ArchiveStream.forEachPiece(of: file) { piece in
            try stream.read(piece)
            try progress.advance(by: UInt64(piece.count))
        }
        let layer: SourceImage.Layer = try stream.finish()
        let skeleton = try intake.finish(layer)
        // Before anything is published: a name that is taken leaves nothing behind.
        _ = try session.checkAvailable(name, for: layer.tree, replacing: options.replacing)
        progress.begin("writing", total: 0)
        var news = Set(try session.publish())
        let outcome = try session.commit(
            layer: name, tree: layer.tree, provenance: nil, source: "layerfs import \(path)", created: workspace.now,
            platform: nil, diffID: layer.diffID, replacing: options.replacing, skeleton: skeleton)
        return ImportSummary(
            name: name, kind: .layer, outcome: outcome, platform: nil, manifest: nil,
            diffIDs: [layer.diffID.description], entries: layer.tree.entries.count, size: layer.tree.size,
            cost: LayerCost(ImportImages.contents(of: [layer.tree])) { news.remove($0) != nil })
    }
}
