import Digests
import Posix
import Trees

/// The tar of a layer that came from elsewhere, to be written again.
struct LayerTar {
    /// Of the layer, without the root.
    var entries: Tree.Entries
    /// nil when the tar is the canonical one of ``entries``.
    var skeleton: Skeleton?
    var contents: any ContentSource
    var progress: (@Sendable (UInt64) throws -> Void)?

    /// Writes the tar to `sink`: with its times as they came, whatever bounds those of what is made now.
    ///
    /// - Throws: what the contents and the sink throw.
    func write(into sink: any ByteSink, pool: WorkerPool) throws -> LayerPacking.Result {
        if let skeleton {
            return try TarAssembly(skeleton: skeleton, contents: contents, progress: progress).write(into: sink)
        }
        return try LayerPacking().pack(entries, from: contents, into: sink, pool: pool, progress: progress)
    }

    /// Writes the tar, compressed as layerfs itself does it at this level, to `sink`.
    ///
    /// - Throws: as ``write(into:pool:)``.
    func writeGzip(into sink: any ByteSink, level: Int, pool: WorkerPool) throws -> LayerPacking.Result {
        guard skeleton == nil else {
            let compressor = GzipCompressor(output: sink, level: level, pool: pool)
            let result = try write(into: compressor, pool: pool)
            try compressor.finish()
            return result
        }
        return try GzipPacking(
            packing: LayerPacking(), contents: contents, level: level, pool: pool, progress: progress
        ).pack(entries, diffID: nil, known: nil, into: sink).result
    }
}
