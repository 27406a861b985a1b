import CZlib
import Glibc

/// Where a deflate stream can be opened to be continued (RFC 1951).
struct StreamSeam: Hashable, Sendable {
    /// The bit that says that its last block is the last.
    var lastBlock = 0
    /// The bit behind its last block.
    var end = 0

    init(lastBlock: Int, end: Int) { (self.lastBlock, self.end) = (lastBlock, end) }
}

extension StreamSeam {
    /// Reads `stream` through, by zlib; nil when it is not exactly `content`.
    init?(reading stream: UnsafeRawBufferPointer, of content: [UInt8]) {
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
