import Digests
import ImageTransport
import LayerStore
public import OCI
public import Trees

/// Layers that need not be made, since it is known what they would be.
extension ExportImage {
    /// The layers that an export of `expression` to `target` would have, as far as that is known without packing and compressing
    /// them: those of an image that came with them, and those that were made before.
    ///
    /// - Throws: as ``run(_:to:_:progress:)``.
    public func knownLayers(
        of expression: RootExpression, to target: Target, _ options: Options
    ) throws -> [Descriptor] {
        try workspace.store.namingDamage {
            let exporter = try prepared(plainExporter, for: target, options)
            return try parts(of: expression, to: target, options, exporter.packing).images.flatMap { part in
                try knownLayers(of: part, options, exporter).map(\.known.blob)
            }
        }
    }

    /// Names the layers that are to be left out, and are known.
    func leaveOut(of parts: inout Parts, _ options: Options, _ exporter: ImageExporter) throws {
        if options.leavingOut.isEmpty { return }
        for number in parts.images.indices {
            for (index, known) in try knownLayers(of: parts.images[number], options, exporter) {
                guard try options.leavingOut.contains(known.blob.sha256()) else { continue }
                parts.images[number].image.layers[index].leftOut = known
            }
        }
    }

    /// `exporter` with what `options` say about the form of layers.
    func prepared(
        _ exporter: ImageExporter, for target: Target, _ options: Options
    ) throws(LayerFSError) -> ImageExporter {
        var exporter = exporter
        exporter.compression = try options.compression(for: target)
        exporter.compressionLevel = options.compressionLevel
        exporter.isStargz = options.isStargz
        return exporter
    }

    /// By number, the layers of `part` whose bytes are known.
    private func knownLayers(
        of part: Part, _ options: Options, _ exporter: ImageExporter
    ) throws -> [(index: Int, known: ImageDescription.LeftOut)] {
        var found: [(index: Int, known: ImageDescription.LeftOut)] = []
        for (index, layer) in part.image.layers.enumerated() {
            if let original = layer.original {
                // Layers that are given back as they were are the lowest of the selection, in its order.
                guard !options.recompresses, options.compression == nil, options.compressionLevel == nil,
                    let blob = part.selection.layers[index].blob,
                    let mediaType = try? MediaType(parsing: blob.mediaType),
                    try isSound(layer.entries)
                else { continue }
                let descriptor = Descriptor(
                    mediaType: mediaType, digest: blob.digest, size: Int64(clamping: blob.size))
                found.append((index, ImageDescription.LeftOut(diffID: original.diffID, blob: descriptor)))
            } else if let known = try exporter.knownLayer(layer.entries) {
                found.append((index, known))
            }
        }
        return found
    }

    func isSound(_ entries: Tree.Entries) throws -> Bool {
        // In parts, so that what is looked up for them stays small.
        var part: [Digest: UInt64?] = [:]
        for content in entries.distinctContents {
            part[content.digest] = content.size
            guard part.count == 65_536 else { continue }
            guard try workspace.store.isSound(part) else { return false }
            part = [:]
        }
        return try workspace.store.isSound(part)
    }
}
