import Bytes
import Digests
import ImageTransport
import LayerStore
import OCI
import Posix
import Synchronization
public import Trees

/// Hands a root over: as an image layout, an archive or a flat tar.
public struct ExportImage: Sendable {
    let workspace: Workspace

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
        var exporter = plainExporter
        exporter.progress = { try progress.advance(by: $0) }
        func begin(_ total: UInt64) { progress.begin("exporting", total: total) }
        if target.isImage {
            let parts = try parts(of: expression, to: target, options, exporter.packing)
            begin(parts.images.reduce(0) { $0 &+ $1.composition.tree.size })
            return try write(parts, of: expression, to: target, options, exporter)
        }
        let selection = try workspace.select(expression).withoutRepetitions
        let trees = try workspace.trees(of: selection)
        let composition = try workspace.compose(selection, of: trees)
        begin(composition.tree.size)
        guard case .bundle(let path) = target else {
            let part = LayerPart(
                entries: composition.tree.entries.dropFirst(), source: "", origin: Self.onlyOrigin(selection, trees))
            return try tree(composition.tree, part, to: target, options, exporter)
        }
        return try ExportBundle(workspace).run(selection, composition, at: path, progress: progress)
    }

    private func write(
        _ parts: Parts, of expression: RootExpression, to target: Target, _ options: Options,
        _ exporter: ImageExporter
    ) throws -> Result {
        let name = try ExportName(options, expression, for: target)
        var exporter = try prepared(exporter, for: target, options)
        exporter.referenceName = name.referenceName
        let packed = Mutex<UInt64>(0)
        let progress = exporter.progress
        exporter.progress = { count in
            packed.withLock { $0 += count }
            try progress?(count)
        }
        var parts = parts
        try leaveOut(of: &parts, options, exporter)
        let expected = parts.images.map { $0.composition.tree.entries.dropFirst() }
        let (packing, markers) = (exporter.packing, exporter.markers)
        exporter.check = { try Self.compare($1, expected[$0], packing, besides: markers) }
        let content = parts.content
        let written =
            switch target {
            case .layout(let path): try exporter.writeLayout(content, named: [name.image], at: path)
            default:
                target.isStandardOutput
                    ? try exporter.writeArchive(
                        content, named: [name.image], to: StandardOutput.take(), stagingIn: options.scratchDirectory)
                    : try exporter.writeArchive(content, named: [name.image], at: target.path)
            }
        return Result(
            target: target, manifest: written.descriptor,
            configuration: written.images.count == 1 ? written.images[0].manifest.config : nil,
            layers: written.images.flatMap(\.manifest.layers),
            diffIDs: written.images.flatMap { $0.diffIDs.map(\.description) }, packed: packed.withLock { $0 },
            draft: options.draftsNote ? draft(of: expression, parts, options) : nil)
    }

    /// The layer that all of the selection is.
    private static func onlyOrigin(_ selection: Selection, _ trees: [Tree]) -> (record: LayerRecord, tree: Tree)? {
        selection.layers.count == 1 ? (selection.layers[0].record, trees[0]) : nil
    }

    /// - Parameter trees: of the layers of `selection`, which `composition` was made of.
    func describe(
        _ selection: Selection, _ trees: [Tree], _ composition: Composition, _ options: Options, _ packing: LayerPacking
    ) throws -> ImageDescription {
        let defaults = try ImageDefaults(workspace, selection)
        // A layer that composing made has no record.
        let sources =
            selection.layers.map(\.record.source)
            + composition.contributions.dropFirst(selection.layers.count).map { "layerfs: \($0.name)" }
        let origins = zip(selection.layers.map(\.record), trees).map { (record: $0, tree: $1) }
        let parts: [LayerPart] =
            switch options.form {
            case .diff, .full:
                zip(options.form == .diff ? composition.contributions : composition.complete, sources).enumerated()
                    .map { number, part in
                        LayerPart(
                            entries: part.0.entries, source: part.1,
                            origin: number < origins.count ? origins[number] : nil)
                    }
            case .flat:
                [
                    LayerPart(
                        entries: composition.tree.entries.dropFirst(),
                        source: "layerfs compose \(selection.expression)", origin: Self.onlyOrigin(selection, trees))
                ]
            }
        let originals = try originals(selection, options)
        let rest = parts.dropFirst(originals?.layers.count ?? 0).filter { !$0.entries.isEmpty }
        let layers = try Self.limited(Array(rest), to: options.maximumLayers)
        let newest = composition.tree.entries.newest.map { packing.recorded($0).seconds }
        var image = ImageDescription(
            layers: (originals?.layers ?? [])
                + layers.map { part in
                    var layer = ImageDescription.Layer(entries: part.entries, createdBy: part.source)
                    layer.knownDiffID = { part.knownDiffID }
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
        _ parts: [LayerPart], to limit: Int?
    ) throws(LayerFSError) -> [LayerPart] {
        guard let limit else { return parts }
        guard limit > 0 else {
            throw .malformedOption(name: "--max-layers", value: "\(limit)", expected: "at least 1")
        }
        return LayerMerge(parts.map(\.entries), limit: limit).groups.map { group in
            LayerPart(
                entries: group.entries, source: parts[group.range].map(\.source).joined(separator: "; "),
                origin: group.range.count == 1 ? parts[group.range.lowerBound].origin : nil)
        }
    }

    /// Compares what unpacking the written layers gives with what was composed.
    static func compare(
        _ written: VerifiedImage, _ entries: Tree.Entries, _ packing: LayerPacking, besides markers: Set<TreePath> = []
    ) throws(LayerFSError) {
        // Both are in order.
        let found = written.sortedEntries
        var position = found.startIndex
        var surplus: TreePath?
        func pass(_ path: TreePath) {
            position += 1
            if surplus == nil, !path.isRoot, !markers.contains(path) { surplus = path }
        }
        for index in entries.indices {
            // As nearly all are, and this makes no entry of them.
            if position < found.endIndex, found.hasSame(at: position, as: entries, at: index) {
                let (time, wanted) = (found.modified(at: position), entries.modified(at: index))
                if time == wanted || time == packing.recorded(wanted) {
                    position += 1
                    continue
                }
            }
            let entry = entries[index]
            while position < found.endIndex, case let path = found.path(at: position), path < entry.path { pass(path) }
            let match = position < found.endIndex && found.path(at: position) == entry.path ? found[position] : nil
            // What was imported keeps its time as it was.
            guard let match, match == entry || match == packing.recorded(entry) else {
                throw .replayDiffers(
                    entry.path, expected: "\(entry.kind)", found: match.map { "\($0.kind)" } ?? "absent")
            }
            position += 1
        }
        while position < found.endIndex { pass(found.path(at: position)) }
        if let surplus { throw .replayDiffers(surplus, expected: "absent", found: "there") }
    }
}
