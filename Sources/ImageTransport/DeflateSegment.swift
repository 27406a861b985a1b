import CDeflate
import CZlib
import Glibc

/// A part of a deflate stream that was compressed for itself: it refers to nothing before it, ends at a byte, and is
/// not the last block, so that segments joined in order are one stream (RFC 1951; zlib's examples/gzjoin.c).
///
/// libdeflate compresses it: more than twice as fast as zlib, and smaller. It cannot leave a stream open, so that the last
/// block's mark is taken away afterwards. To find it, the whole segment is decompressed, by zlib, and compared with the
/// content: no segment leaves here that another library does not read.
struct DeflateSegment: Sendable {
    let bytes: [UInt8]
    /// Of the uncompressed content.
    let crc: UInt32
    let uncompressedCount: Int

    /// What the bytes depend on beside the content and the level.
    static let codec = "libdeflate \(LIBDEFLATE_VERSION_MAJOR).\(LIBDEFLATE_VERSION_MINOR)"

    /// An empty block of stored bytes without its header: what a flush of zlib ends with (zlib.h, Z_SYNC_FLUSH).
    private static let emptyBlock: [UInt8] = [0, 0, 0xff, 0xff]

    /// Compresses `content`, at most 1 GiB.
    ///
    /// - Parameter level: 1 to 12.
    /// - Throws: ``TransportError/outOfMemory``, ``TransportError/compressorFault``.
    init(compressing content: [UInt8], level: Int) throws(TransportError) {
        uncompressedCount = content.count
        guard !content.isEmpty else { (bytes, crc) = ([], 0); return }
        guard let compressor = libdeflate_alloc_compressor(Int32(level)) else { throw .outOfMemory }
        defer { libdeflate_free_compressor(compressor) }
        // The flush adds at most a byte of header and four of an empty block.
        let capacity = libdeflate_deflate_compress_bound(compressor, content.count) + 8
        var seam: StreamSeam?
        bytes = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            count = content.withUnsafeBytes { input in
                libdeflate_deflate_compress(
                    compressor, input.baseAddress, input.count, output.baseAddress, output.count)
            }
            guard count > 0 else { return }
            seam = StreamSeam(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(output)[..<count]), of: content)
            guard let seam else { return }
            output[seam.lastBlock >> 3] &= ~(1 << UInt8(seam.lastBlock & 7))
            // The header of the empty block is three zero bits, which the bits left over in the last byte may hold.
            if count * 8 - seam.end < 3 { output[count] = 0; count += 1 }
            for byte in Self.emptyBlock { output[count] = byte; count += 1 }
        }
        guard !bytes.isEmpty else { throw .outOfMemory }
        guard seam != nil else { throw .compressorFault }
        crc = content.withUnsafeBytes { libdeflate_crc32(0, $0.baseAddress, $0.count) }
    }

    /// A segment that was compressed before.
    init(_ bytes: [UInt8], of stored: StoredSegment) {
        (self.bytes, crc, uncompressedCount) = (bytes, stored.crc, Int(stored.uncompressedCount))
    }

    /// The CRC of two contents one after the other, from theirs.
    static func combine(_ first: UInt32, _ second: UInt32, secondCount: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), secondCount))
    }
}

/// Where a deflate stream can be opened to be continued.
private struct StreamSeam {
    /// The bit that says that its last block is the last.
    var lastBlock = 0
    /// The bit behind its last block.
    var end = 0

    /// Reads `stream` through; nil when it is not exactly `content`.
    init?(_ stream: UnsafeRawBufferPointer, of content: [UInt8]) {
        // Behind a pointer: zlib remembers the address of its stream.
        let inflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        inflater.initialize(to: z_stream())
        defer { inflater.deallocate() }
        guard inflateInit2_(inflater, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
        defer { inflateEnd(inflater) }
        inflater.pointee.next_in = UnsafeMutablePointer(
            mutating: stream.baseAddress?.assumingMemoryBound(to: UInt8.self))
        inflater.pointee.avail_in = UInt32(stream.count)
        // One byte more than there should be, so that more is noticed.
        let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: content.count + 1)
        defer { output.deallocate() }
        (inflater.pointee.next_out, inflater.pointee.avail_out) = (output.baseAddress, UInt32(output.count))
        while true {
            guard inflate(inflater, Z_BLOCK) == Z_OK else { return nil }
            // Of data_type: the bits of the last byte that were not read, 64 in the last block, 128 at the end of one (zlib.h).
            let state = inflater.pointee.data_type
            let position = (stream.count - Int(inflater.pointee.avail_in)) * 8 - Int(state & 7)
            guard state & 128 != 0 else { continue }
            if state & 64 != 0 { end = position; break }
            lastBlock = position
        }
        let count = output.count - Int(inflater.pointee.avail_out)
        let isContent = content.withUnsafeBytes { content in
            guard let expected = content.baseAddress, let found = output.baseAddress else { return false }
            return memcmp(expected, found, content.count) == 0
        }
        guard count == content.count, inflater.pointee.avail_in == 0, isContent else { return nil }
    }
}
