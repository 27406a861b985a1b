/// Compresses the bytes of a tar that are no content of a file, as a skeleton refers to them; where it is never finished, mostly nothing
/// was compressed.
public final class SkeletonOthers {
    private final class Output: ByteSink {
        let body: (UnsafeRawBufferPointer) throws -> Void

        init(_ body: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.body = body }

        func write(_ bytes: UnsafeRawBufferPointer) throws { try body(bytes) }
    }

    /// How much is held until there is more of it, or it turns out to be needed: of most layers that layerfs made itself, nothing is
    /// compressed so.
    private static let heldSize = 8 << 20

    private let encoder: GzipEncoder
    private var held: [UInt8] = []
    private var isHolding = true

    /// - Parameter output: takes the compressed bytes.
    public init(_ output: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
        encoder = try GzipEncoder(output: Output(output))
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        if isHolding {
            if held.count + bytes.count <= Self.heldSize { return held.append(contentsOf: bytes) }
            try endHolding()
        }
        try encoder.write(bytes)
    }

    /// Writes what is left, and ends the stream.
    public func finish() throws {
        try endHolding()
        try encoder.finish()
    }

    private func endHolding() throws {
        guard isHolding else { return }
        isHolding = false
        try encoder.write(held)
        held = []
    }
}
