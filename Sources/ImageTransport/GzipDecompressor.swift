import CZlib

/// Decompresses a gzip stream that comes in pieces, of one member or several (RFC 1952), in bounded memory.
final class GzipDecompressor {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isInsideMember = false
    private var consumed: UInt64 = 0
    private var produced: UInt64 = 0
    private let limit: UInt64
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    /// - Parameter limit: how many uncompressed bytes are accepted.
    /// - Throws: ``TransportError/outOfMemory``.
    init(limit: UInt64 = .max) throws(TransportError) {
        self.limit = limit
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 16: a gzip wrapper, its checksum and size verified.
        let status = inflateInit2_(stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .outOfMemory }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Decompresses `input` and passes the content to `body`.
    ///
    /// - Throws: ``TransportError/gzip(reason:offset:)`` for damage, for bytes after the last member, and beyond the limit.
    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        // zlib counts in 32 bits; the pieces that are read are far smaller.
        precondition(input.count < 1 << 30, "piece too large")
        var offset = 0
        while offset < input.count {
            if !isInsideMember, consumed > 0 { inflateReset(stream) }
            isInsideMember = true
            // zlib does not write through next_in; its type only lacks the const.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(input.count - offset)
            repeat {
                let (status, count) = buffer.withUnsafeMutableBufferPointer { output in
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = UInt32(output.count)
                    let status = inflate(stream, Z_NO_FLUSH)
                    return (status, output.count - Int(stream.pointee.avail_out))
                }
                let taken = input.count - offset - Int(stream.pointee.avail_in)
                offset += taken
                consumed += UInt64(taken)
                produced += UInt64(count)
                guard produced <= limit else {
                    throw TransportError.gzip(reason: "more than \(limit) bytes", offset: consumed)
                }
                if count > 0 { try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
                switch status {
                case Z_STREAM_END: isInsideMember = false
                case Z_OK: break
                case Z_BUF_ERROR where count == 0 && stream.pointee.avail_in == 0: break
                case Z_MEM_ERROR: throw TransportError.outOfMemory
                default: throw TransportError.gzip(reason: message, offset: consumed)
                }
                // A full output buffer may leave content inside zlib even without further input.
            } while isInsideMember && (stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0)
        }
    }

    /// - Throws: ``TransportError/gzip(reason:offset:)`` when the stream ends inside a member.
    func finish() throws(TransportError) {
        if isInsideMember || consumed == 0 { throw .gzip(reason: "it ends too early", offset: consumed) }
    }

    private var message: String { stream.pointee.msg.map { String(cString: $0) } ?? "damaged" }
}
