import CZlib

/// A part of a deflate stream that was compressed for itself: it refers to nothing before it, ends at a byte, and is
/// not the last block, so that segments joined in order are one stream (RFC 1951; zlib's examples/gzjoin.c).
struct DeflateSegment: Sendable {
    let bytes: [UInt8]
    /// Of the uncompressed content.
    let crc: UInt32
    let uncompressedCount: Int

    private static let memoryLevel: Int32 = 8

    /// Compresses `content`, at most 1 GiB.
    ///
    /// - Parameter level: 1 to 9.
    /// - Throws: ``TransportError/outOfMemory``.
    init(compressing content: [UInt8], level: Int) throws(TransportError) {
        uncompressedCount = content.count
        // Behind a pointer: zlib remembers the address of its stream.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        let status = deflateInit2_(
            stream, Int32(level), Z_DEFLATED, -MAX_WBITS, Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .outOfMemory }
        defer { deflateEnd(stream) }

        // The flush adds an empty stored block of at most 5 bytes and some bits.
        let capacity = Int(deflateBound(stream, UInt(content.count))) + 16
        var isComplete = false
        var checksum: UInt32 = 0
        bytes = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            content.withUnsafeBufferPointer { input in
                checksum = UInt32(truncatingIfNeeded: crc32(0, input.baseAddress, UInt32(input.count)))
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(capacity)
                isComplete =
                    deflate(stream, Z_SYNC_FLUSH) == Z_OK && stream.pointee.avail_in == 0
                    && stream.pointee.avail_out > 0
                count = capacity - Int(stream.pointee.avail_out)
            }
        }
        crc = checksum
        guard isComplete else { throw .outOfMemory }
    }

    /// The CRC of two contents one after the other, from theirs.
    static func combine(_ first: UInt32, _ second: UInt32, secondCount: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), secondCount))
    }
}
