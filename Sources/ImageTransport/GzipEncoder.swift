import CZlib

/// Compresses to one gzip member as zlib's own functions do, in order and on one core.
final class GzipEncoder: ByteSink {
    /// Magic, deflate, no flags, no time, no extra flags, operating system unknown (RFC 1952, section 2.3).
    static let plainHeader: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]

    private let output: any ByteSink
    private let stream: UnsafeMutablePointer<z_stream>
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var crc: UInt = 0
    private var count: UInt32 = 0

    /// - Parameter header: of the member, with all its optional fields.
    /// - Throws: ``TransportError/outOfMemory``, and what `output` throws.
    init(output: any ByteSink, level: Int32 = 6, header: [UInt8] = GzipEncoder.plainHeader) throws {
        self.output = output
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = deflateInit2_(
            stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw TransportError.outOfMemory }
        try output.write(header)
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            // zlib counts in 32 bits.
            let piece = UnsafeRawBufferPointer(rebasing: rest[..<min(rest.count, 1 << 30)])
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            let start = piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
            crc = crc32(crc, start, UInt32(piece.count))
            count &+= UInt32(piece.count)
            // zlib does not write through next_in; its type only lacks the const.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
            stream.pointee.avail_in = UInt32(piece.count)
            try deflateAll(Z_NO_FLUSH)
        }
    }

    /// Writes what is left, and the trailer.
    func finish() throws {
        (stream.pointee.next_in, stream.pointee.avail_in) = (nil, 0)
        try deflateAll(Z_FINISH)
        let trailer = [UInt32(truncatingIfNeeded: crc), count].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        try output.write(trailer)
    }

    private func deflateAll(_ flush: Int32) throws {
        var produced = 0
        repeat {
            produced = buffer.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                _ = deflate(stream, flush)
                return output.count - Int(stream.pointee.avail_out)
            }
            if produced > 0 {
                try buffer.withUnsafeBytes { try output.write(UnsafeRawBufferPointer(rebasing: $0[..<produced])) }
            }
        } while produced == buffer.count
    }
}
