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
        var exporter = ImageExporter(contents: workspace.store.blobs)
        exporter.packing = LayerPacking(sourceDateEpoch: workspace.sourceDateEpoch?.seconds)
        if let directory = workspace.store.cacheDirectory(LayerCache.directoryName) {
            exporter.cache = LayerCache(directory)
        }
        exporter.progress = { try progress.advance(by: $0) }
        progress.begin("exporting", total: composition.tree.size)
        switch target {
        case .layout, .archive, .dockerArchive:
            return try image(selection, composition, to: target, options, exporter)
        case .tar, .cpio, .squashfs, .erofs:
            return try tree(composition.tree, to: target, options, exporter)
        case .bundle(let path):
            return try ExportBundle(workspace).run(selection, composition, at: path, progress: progress)
        }
    }

    private func image(
        _ selection: Selection, _ composition: Composition, to target: Target, _ options: Options,
        _ exporter: ImageExporter
    ) throws -> Result {
        let name = try ExportName(options, selection.expression, for: target)
        var exporter = exporter
        exporter.compression = try options.compression(for: target)
        exporter.compressionLevel = options.compressionLevel
        exporter.referenceName = name.referenceName
        exporter.isStargz = options.isStargz
        let image = try describe(selection, composition, options, exporter.packing)
        let (entries, packing) = (Array(composition.tree.entries.dropFirst()), exporter.packing)
        let markers = exporter.markers
        exporter.check = { written in try Self.compare(written, entries, packing, besides: markers) }
        let written =
            switch target {
            case .layout(let path): try exporter.writeLayout(image, named: [name.image], at: path)
            default:
                target.isStandardOutput
                    ? try exporter.writeArchive(
                        image, named: [name.image], to: StandardOutput.take(), stagingIn: options.scratchDirectory)
                    : try exporter.writeArchive(image, named: [name.image], at: target.path)
            }
        return Result(
            target: target, manifest: written.descriptor, configuration: written.manifest.config,
            layers: written.manifest.layers, diffIDs: written.diffIDs.map(\.description))
    }

    private func describe(
        _ selection: Selection, _ composition: Composition, _ options: Options, _ packing: LayerPacking
    ) throws -> ImageDescription {
        let defaults = try ImageDefaults(workspace, selection)
        // A layer that composing made has no record.
        let sources =
            selection.layers.map(\.record.source)
            + composition.contributions.dropFirst(selection.layers.count).map { "layerfs: \($0.name)" }
        let records = selection.layers.map(\.record)
        let parts: [Part] =
            switch options.form {
            case .diff, .full:
                zip(options.form == .diff ? composition.contributions : composition.complete, sources).enumerated()
                    .map { number, part in
                        Part(
                            entries: part.0.entries, source: part.1,
                            record: number < records.count ? records[number] : nil)
                    }
            case .flat:
                [
                    Part(
                        entries: Array(composition.tree.entries.dropFirst()),
                        source: "layerfs compose \(selection.expression)", record: records.count == 1 ? records[0] : nil
                    )
                ]
            }
        let originals = try originals(selection, options)
        let rest = parts.dropFirst(originals?.layers.count ?? 0).filter { !$0.entries.isEmpty }
        let layers = try Self.limited(Array(rest), to: options.maximumLayers)
        let newest = composition.tree.entries.map { packing.recorded($0).metadata.modified.seconds }.max()
        var image = ImageDescription(
            layers: (originals?.layers ?? [])
                + layers.map { part in
                    var layer = ImageDescription.Layer(entries: part.entries, createdBy: part.source)
                    layer.knownDiffID = { [workspace] in try part.knownDiffID(workspace) }
                    return layer
                },
            platform: defaults.platform, execution: defaults.execution, created: newest)
        image.original = layers.isEmpty ? originals?.documents : nil
        return image
    }

    /// What is given back as it was imported; nil where other layers or another form of layers were asked for.
    private func originals(_ selection: Selection, _ options: Options) throws -> ExportOriginals? {
        guard options.form == .diff, !options.isStargz, options.maximumLayers == nil else { return nil }
        let asksForBytes = options.compression != nil || options.compressionLevel != nil
        return try ExportOriginals(
            workspace, selection, recompressing: options.recompresses || asksForBytes)
    }

    /// Merges layers where there are too many. That the union stays is not believed: what was written is compared with it.
    private static func limited(
        _ parts: [Part], to limit: Int?
    ) throws(LayerFSError) -> [Part] {
        guard let limit else { return parts }
        guard limit > 0 else {
            throw .malformedOption(name: "--max-layers", value: "\(limit)", expected: "at least 1")
        }
        return LayerMerge(parts.map(\.entries), limit: limit).groups.map { group in
            Part(
                entries: group.entries, source: parts[group.range].map(\.source).joined(separator: "; "),
                record: group.range.count == 1 ? parts[group.range][group.range.lowerBound].record : nil)
        }
    }

    /// Compares what unpacking the written layers gives with what was composed.
    static func compare(
        _ written: VerifiedImage, _ entries: [Entry], _ packing: LayerPacking, besides markers: Set<TreePath> = []
    ) throws(LayerFSError) {
        var left = written.entries
        for path in markers { left[path] = nil }
        for entry in entries {
            let expected = packing.recorded(entry)
            let found = left.removeValue(forKey: entry.path)
            // What was imported keeps its time as it was.
            guard found == expected || found == entry else {
                throw .replayDiffers(
                    entry.path, expected: "\(expected.kind)", found: found.map { "\($0.kind)" } ?? "absent")
            }
        }
        for path in left.keys.sorted() where !path.isRoot {
            throw .replayDiffers(path, expected: "absent", found: "there")
        }
    }
}

/// What becomes one layer of an image.
private struct Part: Sendable {
    var entries: [Entry]
    /// What the history of the image says.
    var source: String
    /// The one layer of the store that it comes from.
    var record: LayerRecord?

    /// The digest of its tar, where it is all of that layer.
    func knownDiffID(_ workspace: Workspace) throws -> DiffID? {
        // Of an imported layer it is that of the tar it came as.
        guard let record, record.skeleton == nil else { return nil }
        let tree = try workspace.store.tree(of: record)
        return tree.entries.dropFirst().elementsEqual(entries) ? record.diffID : nil
    }
}
