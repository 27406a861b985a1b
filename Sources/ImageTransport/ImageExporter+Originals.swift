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
        _ layer: ImageDescription.Layer, _ original: OriginalLayer, into layout: LayoutWriter
    ) throws -> Descriptor {
        let stored = StoredLayer(entries: layer.entries, original: original, contents: contents)
        func assemble(_ sink: any ByteSink) throws { try stored.writeTar(into: sink, progress: progress) }
        guard let blob = original.blob else {
            return try layout.addBlob(compression.layerMediaType) { sink in
                try compression.compress(into: sink, level: compressionLevel, pool: pool, assemble)
            }
        }
        return try layout.addBlob(blob.mediaType) { sink in
            if let encoding = blob.encoding {
                try encoding.encode(into: sink, pool: pool, assemble)
            } else {
                try contents.readContent(blob.digest, size: blob.size) { try sink.write($0) }
            }
        }
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
