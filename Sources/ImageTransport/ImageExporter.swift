public import Bytes
import Digests
public import OCI
public import Posix
import SystemPackage
import Tar
public import Trees

/// Writes images and trees to files, directories and streams.
///
///     let exporter = ImageExporter(contents: store)
///     let written = try exporter.writeLayout(image, named: [Reference(parsing: "shell:1.0")], at: "./image")
///
/// What is written depends on the image and the options, not on the machine, the time or the number of workers. It is
/// read back and verified before it gets its final name; a failure, or the end of the process, leaves nothing there.
public struct ImageExporter: Sendable {
    let contents: any ContentSource
    /// How layers of images are compressed.
    public var compression = Compression.gzip
    /// One of ``Compression/levels``; nil for ``Compression/usualLevel``.
    public var compressionLevel: Int?
    /// Whether layers are eStargz (stargz-snapshotter, docs/estargz.md): each file a gzip member of its own, and an index. It is in
    /// the layer, so that a container sees it as `/stargz.index.json`; see ``markers``.
    public var isStargz = false
    /// The name of the image in the index of a layout (``AnnotationKey/referenceName``); nil for the tag of its name.
    public var referenceName: String?
    public var packing = LayerPacking()
    /// Compressed layers of before; nil to compress everything anew.
    public var cache: LayerCache?
    /// Whether the contents of these entries are what they should be, without reading them: what is known is only used then, and
    /// what is damaged is found by reading it.
    public var isSound: (@Sendable (Tree.Entries) throws -> Bool)?
    /// Who compresses.
    public var pool = WorkerPool()
    /// Called with the number of bytes of file content that were packed since the last call; from the thread that exports.
    /// What it throws ends the export.
    public var progress: (@Sendable (UInt64) throws -> Void)?
    /// Called with each image as it was read back, and its number among those of an index, before it gets its final name; what it
    /// throws, the export throws.
    public var check: (@Sendable (Int, VerifiedImage) throws -> Void)?

    public init(contents: any ContentSource) { self.contents = contents }

    // MARK: Image layout

    /// Writes `image` into the image layout directory `path`. Where there is a layout already, the image is added to it;
    /// an entry of its index with the same tag is replaced.
    ///
    /// - Parameter names: the names of the image; without any, it is only in the index.
    /// - Returns: the image as it was read back.
    /// - Throws: ``TransportError``, `SystemError`, and what the content source throws.
    @discardableResult
    public func writeLayout(
        _ image: ImageDescription, named names: [Reference], at path: ByteString
    ) throws -> VerifiedImage {
        try writeLayout(.image(image), named: names, at: path).images[0]
    }

    /// Writes what `content` is into the image layout directory `path`, as ``writeLayout(_:named:at:)`` does an image.
    public func writeLayout(
        _ content: ExportContent, named names: [Reference], at path: ByteString
    ) throws -> WrittenContent {
        let target = try TargetPath(path)
        switch try target.kind() {
        case nil: break
        case .directory:
            let directory = try target.parent.open(target.name, [.readOnly, .directory])
            if try directory.contains("oci-layout") || directory.contains("index.json") {
                return try add(content, named: names, to: directory, path)
            }
            guard try directory.names().isEmpty else {
                throw TransportError.invalidTarget(
                    path, reason: "it is a directory, but neither empty nor an image layout")
            }
        default: throw TransportError.invalidTarget(path, reason: "it exists and is not a directory")
        }
        guard try !target.isLink() else {
            throw TransportError.invalidTarget(path, reason: "it is a symbolic link, but not to an image layout")
        }
        let staged = try StagedDirectory(in: target.parent, for: target.name)
        let written = try write(content, named: names, into: staged)
        try LayoutWriter(staged.open(), isStaged: true).flush()
        // Where somebody made it meanwhile, what they made decides what to do.
        return try staged.publish(as: target.name) ? written : writeLayout(content, named: names, at: path)
    }

    private func add(
        _ content: ExportContent, named names: [Reference], to directory: borrowing OwnedDescriptor, _ path: ByteString
    ) throws -> WrittenContent {
        let lock = try lock(directory, path)
        let files = try LayoutFiles(directory.open(".", [.readOnly, .directory]))
        guard let header = try files.document("oci-layout") else {
            throw TransportError.invalidTarget(path, reason: "it has an index.json, but no oci-layout")
        }
        _ = try parsing("oci-layout") { () throws(OCIError) in try ImageLayoutHeader(parsing: header) }
        let layout = try LayoutWriter(directory.open(".", [.readOnly, .directory]))
        let manifests = try assemble(content, into: layout)
        let written = try verify(manifests, of: content, in: files)
        keep(manifests.layers, of: layout)
        try layout.addToIndex(
            written.descriptor, names: names, referenceName: referenceName, platform: content.platform)
        _ = consume lock
        return written
    }

    private func lock(_ directory: borrowing OwnedDescriptor, _ path: ByteString) throws -> FileLock {
        do {
            // Who has just made it holds it for a moment more.
            return try FileLock.waiting(for: directory, .exclusive, patience: .seconds(1))
        } catch  where error.errno == .wouldBlock {
            throw TransportError.layoutBusy(path)
        }
    }

    private func write(
        _ content: ExportContent, named names: [Reference], into staged: StagedDirectory
    ) throws -> WrittenContent {
        let layout = try LayoutWriter(staged.open(), isStaged: true)
        let manifests = try assemble(content, into: layout)
        try layout.addToIndex(
            manifests.top, names: names, referenceName: referenceName, platform: content.platform)
        let written = try verify(manifests, of: content, in: LayoutFiles(staged.open()))
        keep(manifests.layers, of: layout)
        return written
    }

    /// Writes layers, configuration and manifest; gives the descriptor of the manifest.
    func assemble(
        _ image: ImageDescription, into layout: LayoutWriter, _ written: inout WrittenLayers
    ) throws -> Descriptor {
        guard !image.layers.isEmpty else { throw TransportError.noLayers }
        let created = image.created.map { RFC3339.text(secondsSinceEpoch: $0) }
        var configuration = ImageConfiguration(
            created: created, author: image.author, platform: image.platform, execution: image.execution, diffIDs: [])
        var layers: [Descriptor] = []
        for (number, layer) in image.layers.enumerated() {
            if let leftOut = layer.leftOut {
                layers.append(leftOut.blob)
                configuration.diffIDs.append(leftOut.diffID)
                written[try leftOut.blob.sha256()] = WrittenLayers.Layer(
                    tar: LayerPacking.Result(diffID: leftOut.diffID, size: 0), entries: layer.entries,
                    packing: layer.original == nil ? packing : LayerPacking(), doubt: .none, isFromBefore: true)
            } else if let original = layer.original {
                layers.append(try write(layer, original, into: layout, &written))
                configuration.diffIDs.append(original.diffID)
            } else if isStargz {
                layers.append(try addStargz(layer.entries, to: layout, &configuration))
            } else {
                let descriptor = try add(layer, isLowest: number == 0, to: layout, &written)
                layers.append(descriptor)
                try configuration.diffIDs.append(contentsOf: written[descriptor.sha256()].map { [$0.tar.diffID] } ?? [])
            }
            configuration.history.append(.init(created: created, createdBy: layer.createdBy))
        }
        if let documents = image.original {
            return try write(documents, layers, annotations: image.annotations, into: layout)
        }
        for index in layers.indices { layers[index].mediaType = layers[index].mediaType.asOCI }
        let config = try layout.addDocument(.imageConfiguration, configuration.canonicalBytes)
        let manifest = Manifest(config: config, layers: layers, annotations: image.annotations)
        return try layout.addDocument(.imageManifest, manifest.canonicalBytes)
    }

    private func addStargz(
        _ entries: Tree.Entries, to layout: LayoutWriter, _ configuration: inout ImageConfiguration
    ) throws -> Descriptor {
        var annotations: [String: String] = [:]
        var descriptor = try layout.addBlob(.layerTarGzip) { sink in
            let (result, index) = try packStargz(entries, into: sink)
            configuration.diffIDs.append(result.diffID)
            annotations = [Stargz.indexDigestKey: "\(index)", Stargz.sizeKey: "\(result.size)"]
        }
        descriptor.annotations = annotations
        return descriptor
    }

    /// The paths that a container sees beside those of the image's own entries.
    public var markers: Set<TreePath> {
        isStargz ? Set([Stargz.indexName, Stargz.landmarkName].compactMap { try? TreePath("/" + $0) }) : []
    }

    /// Writes the tar as it is, to a file that hashes it.
    func packPlain(_ entries: Tree.Entries, into file: BackgroundFile) throws -> LayerPacking.Result {
        let output = HashingBuffer(output: file, isHashing: false)
        try packing.write(entries, from: contents, into: output, progress: progress)
        let written = try file.finish()
        return LayerPacking.Result(diffID: DiffID(written.digest), size: written.size)
    }

    /// - Parameter diffID: the digest of the tar, where it is known.
    func pack(
        _ entries: Tree.Entries, _ compression: Compression, diffID: DiffID? = nil, into sink: any ByteSink
    ) throws -> LayerPacking.Result {
        try compression.compress(into: sink, level: compressionLevel, pool: pool) { sink in
            let output = HashingBuffer(output: sink, isHashing: diffID == nil, pool: pool)
            try packing.write(entries, from: contents, into: output, progress: progress)
            return LayerPacking.Result(diffID: diffID ?? DiffID(output.digest), size: output.count)
        }
    }

    // MARK: Archives

    /// Writes `image` as one tar archive to the file `path`, which is replaced if it exists: an oci-archive that
    /// `docker load` takes as well.
    ///
    /// - Throws: as ``writeLayout(_:named:at:)``.
    @discardableResult
    public func writeArchive(
        _ image: ImageDescription, named names: [Reference], at path: ByteString
    ) throws -> VerifiedImage {
        try writeArchive(.image(image), named: names, at: path).images[0]
    }

    /// Writes what `content` is as one tar archive, as ``writeArchive(_:named:at:)`` does an image.
    public func writeArchive(
        _ content: ExportContent, named names: [Reference], at path: ByteString
    ) throws -> WrittenContent {
        let target = try fileTarget(path)
        let staged = try StagedDirectory(in: target.parent, for: target.name)
        let layout = try LayoutWriter(staged.open(), isStaged: true)
        let manifests = try assemble(content, into: layout)
        try layout.addToIndex(
            manifests.top, names: names, referenceName: referenceName, platform: content.platform)
        let file = try StagedFile(in: target.parent, for: target.name)
        try LayoutArchive.write(staged.open(), into: file)
        let written = try verify(manifests.inCopies, of: content, in: ArchiveFiles(file.reopen()))
        keep(manifests.layers, of: layout)
        try file.publish(as: target.name, replacing: true)
        return written
    }

    /// Writes what `content` is as one tar archive to the open `output`, as standard output; it is closed at the end.
    ///
    /// - Parameter directory: where the image is put together before its first byte is written to `output`: the sizes
    ///   of all parts come first in a tar, and nothing is sent that has not been verified.
    /// - Throws: as ``writeLayout(_:named:at:)``.
    public func writeArchive(
        _ content: ExportContent, named names: [Reference], to output: consuming OwnedDescriptor,
        stagingIn directory: ByteString
    ) throws -> WrittenContent {
        let parent = try Files.open(directory, [.readOnly, .directory])
        let staged = try StagedDirectory(in: parent, for: "image")
        let written = try write(content, named: names, into: staged)
        try LayoutArchive.write(staged.open(), into: DescriptorSink(output))
        return written
    }

    func fileTarget(_ path: ByteString) throws -> TargetPath {
        let target = try TargetPath(path)
        if let kind = try target.kind(), kind != .regular {
            throw TransportError.invalidTarget(path, reason: "it exists and is not a regular file")
        }
        return target
    }
}

/// Writes to an open descriptor that has no name to be published under: a pipe, a terminal.
final class DescriptorSink: ByteSink {
    private let output: OwnedDescriptor

    init(_ output: consuming OwnedDescriptor) { self.output = output }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try output.writeAll(bytes) }
}
