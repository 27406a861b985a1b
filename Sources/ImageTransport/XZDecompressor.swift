import CLzma

/// Decompresses an xz stream that comes in pieces, of one stream or several, in bounded memory.
final class XZDecompressor: StreamDecoder {
    /// `xz -9` needs 65 MiB.
    private static let memoryLimit: UInt64 = 128 << 20

    /// LZMA_CONCATENATED, a macro that Swift does not see.
    private static let concatenated: UInt32 = 0x08

    private let stream: UnsafeMutablePointer<lzma_stream>
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)
    private var hasEnded = false

    /// - Throws: ``TransportError/outOfMemory``.
    init() throws(TransportError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: lzma_stream())
        guard lzma_stream_decoder(stream, Self.memoryLimit, Self.concatenated) == LZMA_OK else {
            stream.deallocate()
            throw .outOfMemory
        }
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = input.count
        defer { (stream.pointee.next_in, stream.pointee.avail_in) = (nil, 0) }
        var isFull = false
        while stream.pointee.avail_in > 0 || isFull {
            isFull = try step(LZMA_RUN, body)
        }
    }

    func finish() throws(TransportError) {
        // Nothing is left but the end's checks: all content came out while there was input.
        while !hasEnded {
            var excess = false
            do {
                _ = try step(LZMA_FINISH) { _ in excess = true }
            } catch let error as TransportError {
                throw error
            } catch {
                throw damage("damaged")
            }
            if excess { throw damage("damaged") }
        }
    }

    /// Decodes until input or output is exhausted; whether it was the output.
    private func step(_ action: lzma_action, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        let (status, count) = buffer.withUnsafeMutableBufferPointer { output in
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = output.count
            let status = lzma_code(stream, action)
            return (status, output.count - stream.pointee.avail_out)
        }
        if count > 0 { try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
        switch status {
        case LZMA_OK: return count == buffer.count
        case LZMA_STREAM_END:
            hasEnded = true
            return false
        case LZMA_MEMLIMIT_ERROR:
            throw damage("it needs more than \(Self.memoryLimit >> 20) MiB of memory to decompress")
        case LZMA_MEM_ERROR: throw TransportError.outOfMemory
        case LZMA_BUF_ERROR where action == LZMA_RUN: return false
        case LZMA_BUF_ERROR: throw damage("it ends too early")
        case LZMA_FORMAT_ERROR, LZMA_OPTIONS_ERROR: throw damage("it is of no form that is known")
        default: throw damage("damaged")
        }
    }

    private func damage(_ reason: String) -> TransportError {
        .damagedStream(format: "xz", reason: reason, offset: stream.pointee.total_in)
    }
}
