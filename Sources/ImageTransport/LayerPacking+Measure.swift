import Digests
public import Trees

extension LayerPacking {
    /// The digest and the size that the tar of `entries` would have; nothing is written.
    ///
    /// - Parameter progress: called with the number of bytes of file content that were read since the last call.
    /// - Throws: `TransportError`, `TarError` for what tar cannot express, and what `contents` throws.
    public func measure(
        _ entries: Tree.Entries, from contents: any ContentSource, progress: (@Sendable (UInt64) throws -> Void)? = nil
    ) throws -> Result {
        try pack(entries, from: contents, into: NullSink(), progress: progress)
    }
}

/// Takes bytes and forgets them.
private final class NullSink: ByteSink {
    func write(_ bytes: UnsafeRawBufferPointer) {}
}
