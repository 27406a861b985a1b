import CDeflate
import CZlib
import Glibc

/// A part of a deflate stream that was compressed for itself: it refers to nothing before it, ends at a byte, and is
/// not the last block, so that segments joined in order are one stream (RFC 1951; zlib's examples/gzjoin.c).
///
/// libdeflate compresses it: more than twice as fast as zlib, and smaller. It cannot leave a stream open, so that the last
/// block's mark is taken away afterwards. Where it is, is guessed; the segment that comes of it is decompressed and compared with
/// the content. Where the guess was wrong, zlib reads the stream and says where the mark is: what leaves here was decompressed
/// in any case.
struct DeflateSegment: Sendable {
    let bytes: [UInt8]
    /// Of the uncompressed content.
    let crc: UInt32
    let uncompressedCount: Int

    /// What the bytes depend on beside the content and the level.
    static let codec = "libdeflate \(LIBDEFLATE_VERSION_MAJOR).\(LIBDEFLATE_VERSION_MINOR)"

    /// An empty block of stored bytes without its header: what a flush of zlib ends with (zlib.h, Z_SYNC_FLUSH).
    private static let emptyBlock: [UInt8] = [0, 0, 0xff, 0xff]
    /// The last block of a deflate stream, empty, with fixed codes.
    static let lastBlock: [UInt8] = [3, 0]

    /// Compresses `content`, at most 1 GiB.
    ///
    /// - Parameter level: 1 to 12.
    /// - Throws: ``TransportError/outOfMemory``, ``TransportError/compressorFault``.
    init(compressing content: [UInt8], level: Int) throws(TransportError) {
        uncompressedCount = content.count
        guard !content.isEmpty else { (bytes, crc) = ([], 0); return }
        guard let compressor = libdeflate_alloc_compressor(Int32(level)) else { throw .outOfMemory }
        defer { libdeflate_free_compressor(compressor) }
        let bound = libdeflate_deflate_compress_bound(compressor, content.count)
        var isOpen = false
        bytes = [UInt8](unsafeUninitializedCapacity: bound + StreamSeam.padding) { output, count in
            count = content.withUnsafeBytes { input in
                libdeflate_deflate_compress(compressor, input.baseAddress, input.count, output.baseAddress, bound)
            }
            if count > 0 { isOpen = Self.open(output, &count, content) }
        }
        guard !bytes.isEmpty else { throw .outOfMemory }
        guard isOpen else { throw .compressorFault }
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

// MARK: Leaving a stream open

extension DeflateSegment {
    /// Takes the mark of the last block from the stream of `count` bytes that begins `output`, and lets it end at a byte.
    ///
    /// - Parameters:
    ///   - output: has ``StreamSeam/padding`` bytes of room behind the stream.
    ///   - count: of the stream; becomes that of the segment.
    /// - Returns: whether the segment is one of `content`.
    private static func open(
        _ output: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int, _ content: [UInt8]
    ) -> Bool {
        let stream = UnsafeRawBufferPointer(output)
        for index in 0..<StreamSeam.padding { output[count + index] = 0 }
        // What became no smaller is stored as it is, which zlib reads as fast as it copies.
        if count < content.count, let seam = StreamSeam.guess(stream, count: count) {
            let closed = count
            open(output, &count, at: seam)
            if decompresses(output, count, to: content) { return true }
            count = closed
            output[seam.lastBlock >> 3] |= 1 << UInt8(seam.lastBlock & 7)
        }
        let closed = UnsafeRawBufferPointer(rebasing: stream[..<count])
        guard let seam = StreamSeam(reading: closed, of: content) else { return false }
        open(output, &count, at: seam)
        return true
    }

    private static func open(
        _ output: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int, at seam: StreamSeam
    ) {
        output[seam.lastBlock >> 3] &= ~(1 << UInt8(seam.lastBlock & 7))
        // The header of the empty block is three zero bits, which the bits left over in the last byte may hold.
        if count * 8 - seam.end < 3 { output[count] = 0; count += 1 }
        for byte in emptyBlock { output[count] = byte; count += 1 }
    }

    /// Whether the segment of `count` bytes that begins `output` is one of `content`.
    private static func decompresses(
        _ output: UnsafeMutableBufferPointer<UInt8>, _ count: Int, to content: [UInt8]
    ) -> Bool {
        guard let decompressor = libdeflate_alloc_decompressor() else { return false }
        defer { libdeflate_free_decompressor(decompressor) }
        let found = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 64)
        defer { found.deallocate() }
        // The room behind the segment has that of a block that ends the stream.
        for (index, byte) in lastBlock.enumerated() { output[count + index] = byte }
        var (read, produced) = (0, 0)
        let result = libdeflate_deflate_decompress_ex(
            decompressor, output.baseAddress, count + lastBlock.count, found.baseAddress, found.count, &read, &produced)
        return result == LIBDEFLATE_SUCCESS && read == count + lastBlock.count && produced == content.count
            && content.withUnsafeBytes { memcmp($0.baseAddress!, found.baseAddress!, content.count) == 0 }
    }
}
