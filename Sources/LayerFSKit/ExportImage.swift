public import Bytes
import Digests
public import ImageTransport
import LayerStore
public import OCI
import Posix
public import Trees

/// Hands a root over: as an image layout, an archive or a flat tar.
public struct ExportImage: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// How the layers of a composition become layers of an image.
    public enum LayerForm: String, Hashable, Sendable, CaseIterable {
        /// One for each, holding only what the stack below lacks.
        case diff
        /// One for each, holding all of it.
        case full
        /// One for all.
        case flat
    }

    /// Where an export goes.
    public enum Target: Hashable, Sendable {
        /// An image layout directory; one that exists is added to.
        case layout(ByteString)
        /// An image layout as one tar, which `docker load` takes as well.
        case archive(ByteString)
        /// The tree itself as one tar.
        case tar(ByteString)

        /// The path that stands for standard output.
        public static let standardOutput: ByteString = "-"
    }

    /// What was written.
    public struct Result: Sendable {
        public var target: Target
        /// The digest of the manifest; of a flat tar nil.
        public var manifest: Descriptor?
        public var configuration: Descriptor?
        public var layers: [Descriptor]
        public var diffIDs: [String]
    }

    /// How an export is made.
    public struct Options: Sendable {
        public var form = LayerForm.diff
        public var compression = Compression.gzip
        /// The name in the image's index and for `docker load`; nil takes that of the expression.
        public var name: String?
        /// Where an archive for standard output is put together before its first byte is sent.
        public var scratchDirectory: ByteString = "/var/tmp"
        /// Compress layers that were imported anew, instead of giving them back as they were; their tars stay the same.
        public var recompresses = false

        public init() {}
    }

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
        let name = try ExportName(options.name ?? expression.description)
        var exporter = ImageExporter(contents: workspace.store.blobs)
        exporter.compression = options.compression
        exporter.packing = LayerPacking(sourceDateEpoch: workspace.sourceDateEpoch?.seconds)
        exporter.progress = { try progress.advance(by: $0) }
        let entries = Array(composition.tree.entries.dropFirst())
        progress.begin("exporting", total: composition.tree.size)
        if case .tar(let path) = target {
            let written =
                path == Target.standardOutput
                ? try exporter.writeTar(entries, to: StandardOutput.take())
                : try exporter.writeTar(entries, at: path)
            return Result(target: target, layers: [], diffIDs: [written.diffID.description])
        }
        let image = try describe(selection, composition, options, exporter.packing)
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
        case .archive(Target.standardOutput):
            try exporter.writeArchive(
                image, named: [name.image], to: StandardOutput.take(), stagingIn: scratch)
        case .archive(let path), .tar(let path): try exporter.writeArchive(image, named: [name.image], at: path)
        }
    }

    private func describe(
        _ selection: Selection, _ composition: Composition, _ options: Options, _ packing: LayerPacking
    ) throws -> ImageDescription {
        let defaults = try ImageDefaults(workspace, selection)
        let sources = selection.layers.map(\.record.source)
        let parts: [(entries: [Entry], source: String)] =
            switch options.form {
            case .diff: zip(composition.contributions, sources).map { ($0.entries, $1) }
            case .full: zip(composition.complete, sources).map { ($0.entries, $1) }
            case .flat: [(Array(composition.tree.entries.dropFirst()), "layerfs compose \(selection.expression)")]
            }
        let newest = composition.tree.entries.map { packing.recorded($0).metadata.modified.seconds }.max()
        var image = ImageDescription(
            layers: [], platform: defaults.platform, execution: defaults.execution, created: newest)
        var rest = parts[...]
        if options.form == .diff {
            let originals = try ExportOriginals(workspace, selection, recompressing: options.recompresses)
            (image.layers, image.original) = (originals.layers, originals.documents)
            rest = parts.dropFirst(originals.layers.count)
        }
        image.layers += rest.filter { !$0.entries.isEmpty }.map { .init(entries: $0.entries, createdBy: $0.source) }
        return image
    }

    /// Compares what unpacking the written layers gives with what was composed.
    static func compare(_ written: VerifiedImage, _ entries: [Entry], _ packing: LayerPacking) throws(LayerFSError) {
        var left = written.entries
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
