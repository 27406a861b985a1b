public import Bytes
import Digests
public import ImageTransport
import LayerStore
import OCI
import Posix
import Trees

/// Takes images that others made into the store: every file of every layer by its digest, and all that it takes to give the
/// same image back.
///
/// Every digest, size and diffID is verified while the layers are read; nothing is named, and nothing kept, before all are.
public struct ImportImages: Sendable {
    private let workspace: Workspace
    private let pool: WorkerPool

    /// - Parameter workspace: opened with `Store.Access.adding`.
    public init(_ workspace: Workspace, workers: Int? = nil) {
        self.workspace = workspace
        pool = WorkerPool(workers: workers)
    }

    /// Imports from a layout or archive.
    ///
    /// - Parameter scratch: where an archive that is compressed is laid out.
    /// - Throws: `TransportError` and `TarError` for what is wrong with the image; ``LayerStoreError/nameTaken(_:detail:)``.
    public func run(
        _ location: ImageLocation, _ options: ImportOptions, scratch: ByteString, progress: ProgressMeter = .none
    ) throws -> [ImportSummary] {
        let source = try ImageSource(location, limit: options.limit, scratch: scratch)
        return try run(source, named: location.reference, options, progress: progress)
    }

    /// Imports from an opened source: for whoever fetched it and has its directory.
    ///
    /// - Parameter reference: which of its images; a tag, a name or the digest of a manifest or index.
    public func run(
        _ source: ImageSource, named reference: String?, _ options: ImportOptions, progress: ProgressMeter = .none
    ) throws -> [ImportSummary] {
        let images = try source.images(named: reference, options.platforms)
        return try images.map { image in
            let name = try name(of: image, options, isOneOfSeveral: images.count > 1)
            return try run(image, as: name, options, progress)
        }
    }

    /// The name that was asked for, else that of the image; each image of several platforms has its own.
    private func name(
        of image: SourceImage, _ options: ImportOptions, isOneOfSeveral: Bool
    ) throws -> Name {
        var text = options.name?.text
        if text == nil, var found = image.name {
            for prefix in ["docker.io/library/", "docker.io/"] where found.hasPrefix(prefix) {
                found.removeFirst(prefix.utf8.count)
            }
            text = found
        }
        guard let text else { throw LayerFSError.importNameNeeded("the image has no name where it lies") }
        let platform = image.platform.description.split(separator: "/").joined(separator: "-")
        guard let name = try? Name(isOneOfSeveral ? "\(text)-\(platform)" : text) else {
            throw LayerFSError.importNameNeeded("the image's name '\(ByteString(text))' cannot be one in a store")
        }
        return name
    }

    // MARK: One image

    private func run(
        _ image: SourceImage, as name: Name, _ options: ImportOptions, _ progress: ProgressMeter
    ) throws -> ImportSummary {
        let session = try workspace.store.beginAdding()
        let known = try known(image, options)
        var image = image
        image.stored = known.mapValues(\.stored)
        progress.begin("reading", total: image.size)
        var layers: [(layer: SourceImage.Layer, skeleton: Skeleton?)] = []
        var intake: StagingIntake?
        var flush: Background<Void>?
        let union = try image.readLayers(
            limit: options.limit,
            intake: { index in
                if known[index] != nil { return RereadIntake() }
                let next = try StagingIntake(session, pool: pool)
                intake = next
                return next
            },
            progress: { try progress.advance(by: $0) },
            { index, layer in
                if known[index] == nil { try intake?.endContents() }
                // What follows needs no more contents: the disk takes them meanwhile.
                if index == image.layerCount - 1 { flush = Background(pool) { try session.flush() } }
                let skeleton = try known[index].map(\.stored.original.skeleton) ?? intake?.finish(layer)
                layers.append((layer, skeleton))
            })
        try check(layers.map(\.layer.tree), union)
        progress.begin("writing", total: 0)
        var news = session.waiting
        let history = image.configuration.history.filter { !$0.isEmptyLayer }
        var records: [ImageRecord.Layer] = []
        for (index, (layer, skeleton)) in layers.enumerated() {
            let step = history.count == layers.count ? history[index] : nil
            let record = try session.stage(
                layer: layer.tree, source: step?.createdBy ?? "layerfs import",
                created: step?.created ?? image.configuration.created ?? RFC3339.text(secondsSinceEpoch: 0),
                platform: image.platform.description, diffID: layer.diffID, skeleton: skeleton)
            let blob = try known[index]?.blob ?? blob(of: layer, skeleton, in: image, index, options, session)
            records.append(ImageRecord.Layer(name: "\(name).\(index + 1)", record: record, blob: blob))
        }
        let original = ImageRecord.Original(
            mediaType: image.descriptor?.mediaType.text,
            manifest: try image.manifestBytes.map { bytes throws(LayerStoreError) in try session.stage(bytes: bytes) },
            configuration: try session.stage(bytes: image.configurationBytes))
        try flush?.value()
        let outcome = try session.commit(
            image: name,
            ImageRecord(
                created: workspace.now, expression: name.text, layers: records, onConflict: .overlay,
                entries: union.count + (union[.root] == nil ? 1 : 0), size: union.values.reduce(0) { $0 &+ $1.size },
                settings: ImageSettings(image.configuration), original: original),
            replacing: options.replacing)
        return ImportSummary(
            name: name, kind: .image, outcome: outcome, platform: image.platform.description,
            manifest: image.descriptor?.digest.description, diffIDs: layers.map(\.layer.diffID.description),
            entries: union.count + (union[.root] == nil ? 1 : 0), size: union.values.reduce(0) { $0 &+ $1.size },
            cost: LayerCost(Self.contents(of: layers.map(\.layer.tree))) { news.remove($0) != nil },
            recompressed: records.count { $0.blob?.encoding == nil && $0.blob?.isKept == nil })
    }

    /// The layers, by number, whose bytes are not there, and need not be.
    private func known(_ image: SourceImage, _ options: ImportOptions) throws -> [Int: KnownLayers.Layer] {
        guard let findings = options.leavingOut else { return [:] }
        var known: [Int: KnownLayers.Layer] = [:]
        let layers = try KnownLayers(workspace, findings)
        for index in 0..<image.layerCount {
            guard let (descriptor, diffID) = image.layer(index), try !image.hasBlob(ofLayer: index) else { continue }
            known[index] = try layers.layer(descriptor, diffID)
        }
        return known
    }

    /// How the layer's bytes can be given back.
    private func blob(
        of layer: SourceImage.Layer, _ skeleton: Skeleton?, in image: SourceImage, _ index: Int,
        _ options: ImportOptions, _ session: StoreSession
    ) throws -> ImageRecord.Blob {
        let encoding = try LayerEncoding.find(
            for: layer, skeleton: skeleton, contents: session.contents, pool: pool)
        var blob = ImageRecord.Blob(
            mediaType: (layer.mediaType ?? .layerTar).text, digest: layer.blob.digest, size: layer.blob.size,
            encoding: encoding?.text, isKept: nil)
        guard encoding == nil, options.keepsCompressed else { return blob }
        let kept = IncomingContent(session)
        try image.readBlob(ofLayer: index) { try kept.write($0) }
        let found = try kept.finish().digest
        guard found == blob.digest else {
            throw TransportError.digestMismatch(
                name: "layer \(index + 1)", expected: blob.digest, actual: found)
        }
        blob.isKept = true
        return blob
    }

    /// Compares what the layers' trees make with what their members made.
    private func check(_ trees: [Tree], _ union: [TreePath: Entry]) throws {
        let layers = trees.enumerated().map { Composition.Layer(name: "\($0 + 1)", tree: $1) }
        let composed = try Composition(layers, onConflict: .overlay).tree
        for entry in composed.entries where !entry.path.isRoot && union[entry.path] != entry {
            throw LayerFSError.replayDiffers(
                entry.path, expected: union[entry.path].map { "\($0.kind)" } ?? "absent", found: "\(entry.kind)")
        }
        let count = union.keys.count { !$0.isRoot }
        guard composed.entries.count - 1 == count else {
            let missing = union.keys.sorted().first { composed[$0] == nil } ?? .root
            throw LayerFSError.replayDiffers(missing, expected: "there", found: "absent")
        }
    }

    /// The distinct contents of files.
    static func contents(of trees: [Tree]) -> [(digest: Digest, size: UInt64)] {
        var seen: Set<Digest> = []
        var contents: [(digest: Digest, size: UInt64)] = []
        for content in trees.lazy.flatMap(\.entries.contents) where seen.insert(content.digest).inserted {
            contents.append(content)
        }
        return contents
    }
}

extension ImageSettings {
    /// What the configuration of an image that was made elsewhere says, as far as settings say it.
    init(_ configuration: ImageConfiguration) {
        self.init()
        let execution = configuration.execution
        (command, entrypoint, environment) = (execution.command ?? [], execution.entrypoint, execution.environment)
        (workingDirectory, user, labels) = (execution.workingDirectory, execution.user, execution.labels)
        (exposedPorts, stopSignal) = (execution.exposedPorts, execution.stopSignal)
        platform = configuration.platform.description
    }
}
