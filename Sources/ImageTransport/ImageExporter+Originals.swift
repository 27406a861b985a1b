import Bytes
import Digests
import OCI
import Trees

extension ImageExporter {
    /// Writes a layer as it was where it came from.
    ///
    /// Where its compressed bytes cannot be made again, as with another version of zlib, those of ``compression`` stand for the
    /// same tar; the manifest then is another.
    func write(
        _ layer: ImageDescription.Layer, _ original: OriginalLayer, into layout: LayoutWriter,
        _ written: inout WrittenLayers
    ) throws -> Descriptor {
        let mediaType = original.blob?.mediaType ?? compression.layerMediaType
        let cache = original.blob?.encoding == LayerEncoding.none || mediaType == .layerTar ? nil : cache
        let key = originalKey(original)
        if let found = cache?.find(key), found.layer.tar.diffID == original.diffID,
            found.layer.digest == original.blob?.digest ?? found.layer.digest, let cache,
            try isSound?(layer.entries) ?? true
        {
            return try add(found, cache, layer, LayerPacking(), mediaType, to: layout, &written)
        }
        let tar = LayerTar(
            entries: layer.entries, skeleton: original.skeleton, contents: contents, progress: progress)
        var result: LayerPacking.Result?
        let descriptor = try layout.addBlob(mediaType) { sink in
            if let blob = original.blob, blob.encoding == nil {
                try contents.readContent(blob.digest, size: blob.size) { try sink.write($0) }
            } else if let encoding = original.blob?.encoding {
                result = try encoding.encode(tar, into: sink, pool: pool)
            } else if compression == .gzip {
                result = try tar.writeGzip(
                    into: sink, level: compressionLevel ?? Compression.gzip.usualLevel, pool: pool)
            } else {
                result = try compression.compress(into: sink, level: compressionLevel, pool: pool) { sink in
                    try tar.write(into: sink, pool: pool)
                }
            }
        }
        guard let result else { return descriptor }
        guard result.diffID == original.diffID else {
            throw TransportError.digestMismatch(
                name: "the tar of a layer", expected: original.diffID.digest, actual: result.diffID.digest)
        }
        if cache != nil {
            written.keep(
                CachedLayer(
                    digest: try descriptor.sha256(), size: UInt64(descriptor.size), tar: result, codec: key), as: key)
        }
        return descriptor
    }

    /// Identifies a layer that came from elsewhere, as it is to be written.
    private func originalKey(_ original: OriginalLayer) -> Digest {
        var bytes = Array("original".utf8) + original.diffID.digest.bytes
        if let blob = original.blob {
            bytes += blob.digest.bytes
        } else {
            bytes += LayerCache.codec(compression, level: compressionLevel).bytes
        }
        return Digest(hashing: bytes)
    }

    /// Adds the documents of an image whose layers were written as `layers`: those it came with, if the layers are the same.
    ///
    /// - Returns: the descriptor of the manifest.
    func write(
        _ documents: OriginalDocuments, _ layers: [Descriptor], annotations: [String: String],
        into layout: LayoutWriter
    ) throws -> Descriptor {
        var annotations = annotations
        if let (mediaType, bytes) = documents.manifest {
            let manifest = try parsing("the manifest") { () throws(OCIError) in try Manifest(parsing: bytes) }
            if manifest.layers.map(\.digest) == layers.map(\.digest) {
                _ = try layout.addDocument(manifest.config.mediaType, documents.configuration)
                return try layout.addDocument(mediaType, bytes)
            }
            annotations.merge(manifest.annotations) { own, _ in own }
        }
        // The configuration names tars, so that it does not depend on how they are compressed.
        let config = try layout.addDocument(.imageConfiguration, documents.configuration)
        let own = layers.map { layer in
            var layer = layer
            layer.mediaType = layer.mediaType.asOCI
            return layer
        }
        let manifest = Manifest(config: config, layers: own, annotations: annotations)
        return try layout.addDocument(.imageManifest, manifest.canonicalBytes)
    }
}
