/// Compresses the bytes of a tar that are no content of a file, as a skeleton refers to them.
public final class SkeletonOthers {
    private final class Output: ByteSink {
        let body: (UnsafeRawBufferPointer) throws -> Void

        init(_ body: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.body = body }

        func write(_ bytes: UnsafeRawBufferPointer) throws { try body(bytes) }
    }

    private let encoder: GzipEncoder

    /// - Parameter output: takes the compressed bytes.
    public init(_ output: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
        encoder = try GzipEncoder(output: Output(output))
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws { try encoder.write(bytes) }

    public func finish() throws { try encoder.finish() }
}
