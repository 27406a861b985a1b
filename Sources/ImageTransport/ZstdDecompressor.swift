import CZstd

/// Decompresses a zstd stream that comes in pieces, of one frame or several (RFC 8878), in bounded memory.
final class ZstdDecompressor: StreamDecoder {
    /// The window may have 2 to the power of this many bytes, 128 MiB: that of `zstd --ultra -22`, and the least that RFC 8878
    /// lets a decoder limit by.
    private static let windowLimit: Int32 = 27

    private let stream: OpaquePointer
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)
    private var consumed: UInt64 = 0
    private var isInsideFrame = true

    /// - Throws: ``TransportError/outOfMemory``.
    init() throws(TransportError) {
        guard let stream = ZSTD_createDCtx() else { throw .outOfMemory }
        self.stream = stream
        ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.windowLimit)
    }

    deinit { ZSTD_freeDCtx(stream) }

    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        while true {
            let before = source.pos
            let (result, count, isFull) = buffer.withUnsafeMutableBytes { output in
                var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
                let result = ZSTD_decompressStream(stream, &target, &source)
                return (result, target.pos, target.pos == target.size)
            }
            consumed += UInt64(source.pos - before)
            guard ZSTD_isError(result) == 0 else {
                throw TransportError.damagedStream(
                    format: "zstd", reason: String(cString: ZSTD_getErrorName(result)), offset: consumed)
            }
            // Without any progress the result is only a hint of what comes next.
            if source.pos > before || count > 0 { isInsideFrame = result != 0 }
            if count > 0 { try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
            // A full output may leave content inside the decoder even without further input.
            if source.pos == source.size, !isFull { return }
        }
    }

    func finish() throws(TransportError) {
        if isInsideFrame { throw .damagedStream(format: "zstd", reason: "it ends too early", offset: consumed) }
    }
}
