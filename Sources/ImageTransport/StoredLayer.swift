public import Digests
public import Posix
public import Trees

/// A layer whose tar can be made of what is at hand, so that its bytes need not be read where its image lies.
public struct StoredLayer: Sendable {
    /// Without the root's.
    public var entries: Tree.Entries
    /// What the tar is, and how the compressed bytes are made of it.
    public var original: OriginalLayer
    public var contents: any ContentSource

    public init(entries: Tree.Entries, original: OriginalLayer, contents: any ContentSource) {
        (self.entries, self.original, self.contents) = (entries, original, contents)
    }

    /// The digest of the tar as ``Compression/gzip`` compresses it.
    ///
    /// - Throws: ``TransportError/digestMismatch(name:expected:actual:)`` when the tar is another, and what the contents throw.
    public func compressedDigest(pool: WorkerPool) throws -> Digest {
        // No other encoder is to be told apart by its first bytes.
        let sink = MatchingSink(prefix: [])
        try check(LayerEncoding.layerfs.encode(tar, into: sink, pool: pool))
        return sink.finish()
    }

    /// Writes the tar, and sees to it that it is the one of the diffID.
    func writeTar(into sink: any ByteSink) throws { try check(tar.write(into: sink, pool: WorkerPool())) }

    private var tar: LayerTar { LayerTar(entries: entries, skeleton: original.skeleton, contents: contents) }

    private func check(_ written: LayerPacking.Result) throws {
        guard written.diffID == original.diffID else {
            throw TransportError.digestMismatch(
                name: "the tar of a layer", expected: original.diffID.digest, actual: written.diffID.digest)
        }
    }
}

/// Reads a layer that is written to it.
final class LayerSink: ByteSink {
    private(set) var stream: LayerStream

    init(_ stream: LayerStream) { self.stream = stream }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try stream.read(bytes) }
}
