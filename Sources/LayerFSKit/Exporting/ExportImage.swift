import Bytes
import Digests
import ImageTransport
import LayerStore
import OCI
import Posix
public import Trees

/// Hands a root over: as an image layout, an archive or a flat tar.
public struct ExportImage: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// Writes `expression` to `target`, reads it back and compares it with what was composed.
    ///
    /// - Throws: `TransportError`, ``LayerStoreError`` for damaged content, ``LayerFSError/replayDiffers(_:expected:found:)``.
    ///   Nothing is left at the target then.
    public func run(
        _ expression: RootExpression, to target: Target, _ options: Options, progress: ProgressMeter = .none
    ) throws -> Result {
        try workspace.store.namingDamage { try export(expression, to: target, options, progress) }
    }

    private func export(
        _ expression: RootExpression, to target: Target, _ options: Options, _ progress: ProgressMeter
    ) throws -> Result {
        let selection = try workspace.select(expression).withoutRepetitions
        let composition = try workspace.compose(selection)
        let name = try ExportName(options, expression, for: target)
        var exporter = ImageExporter(contents: workspace.store.blobs)
        exporter.compression = try options.compression(for: target)
        exporter.compressionLevel = options.compressionLevel
        exporter.referenceName = name.referenceName
        exporter.packing = LayerPacking(sourceDateEpoch: workspace.sourceDateEpoch?.seconds)
        exporter.progress = { try progress.advance(by: $0) }
        let entries = Array(composition.tree.entries.dropFirst())
        progress.begin("exporting", total: composition.tree.size)
        if case .tar(let path) = target {
            let written =
                target.isStandardOutput
                ? try exporter.writeTar(entries, to: StandardOutput.take(), compression: exporter.compression)
                : try exporter.writeTar(entries, at: path, compression: exporter.compression)
            return Result(target: target, layers: [], diffIDs: [written.diffID.description])
        }
        let image = try describe(selection, composition, options.form, exporter.packing)
        let packing = exporter.packing
        exporter.check = { written in try Self.compare(written, entries, packing) }
        let written = try write(image, name, to: target, exporter, scratch: options.scratchDirectory)
        return Result(
            target: target, manifest: written.descriptor, configuration: written.manifest.config,
            layers: written.manifest.layers, diffIDs: written.diffIDs.map(\.description))
    }

    private func write(
        _ image: ImageDescription, _ name: ExportName, to target: Target, _ exporter: ImageExporter, scratch: ByteString
    ) throws -> VerifiedImage {
        switch target {
        case .layout(let path): try exporter.writeLayout(image, named: [name.image], at: path)
        case .archive, .dockerArchive, .tar:
            target.isStandardOutput
                ? try exporter.writeArchive(image, named: [name.image], to: StandardOutput.take(), stagingIn: scratch)
                : try exporter.writeArchive(image, named: [name.image], at: target.path)
        }
    }

    private func describe(
        _ selection: Selection, _ composition: Composition, _ form: LayerForm, _ packing: LayerPacking
    ) throws -> ImageDescription {
        let defaults = try ImageDefaults(workspace, selection)
        let sources = selection.layers.map(\.record.source)
        let parts: [(entries: [Entry], source: String)] =
            switch form {
            case .diff: zip(composition.contributions, sources).map { ($0.entries, $1) }
            case .full: zip(composition.complete, sources).map { ($0.entries, $1) }
            case .flat: [(Array(composition.tree.entries.dropFirst()), "layerfs compose \(selection.expression)")]
            }
        let newest = composition.tree.entries.map { packing.recorded($0).metadata.modified.seconds }.max()
        return ImageDescription(
            layers: parts.filter { !$0.entries.isEmpty }.map { .init(entries: $0.entries, createdBy: $0.source) },
            platform: defaults.platform, execution: defaults.execution, created: newest)
    }

    /// Compares what unpacking the written layers gives with what was composed.
    static func compare(_ written: VerifiedImage, _ entries: [Entry], _ packing: LayerPacking) throws(LayerFSError) {
        var left = written.entries
        for entry in entries {
            let expected = packing.recorded(entry)
            let found = left.removeValue(forKey: entry.path)
            guard found == expected else {
                throw .replayDiffers(
                    entry.path, expected: "\(expected.kind)", found: found.map { "\($0.kind)" } ?? "absent")
            }
        }
        for path in left.keys.sorted() where !path.isRoot {
            throw .replayDiffers(path, expected: "absent", found: "there")
        }
    }
}
