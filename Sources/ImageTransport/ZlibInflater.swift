import CZlib

/// zlib: reads the headers of members, and their data where nothing faster does.
final class ZlibInflater: MemberInflater {
    /// Behind a pointer: zlib remembers the address of its stream.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Throws: ``TransportError/outOfMemory``.
    init() throws(TransportError) {
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

    /// What comes next is the header of a member.
    func beginHeader() { inflateReset(stream) }

    /// Reads on in a header.
    ///
    /// - Returns: how many bytes of `input` belong to it, and whether it is whole.
    func readHeader(_ input: UnsafeRawBufferPointer) throws(InflateFailure) -> (consumed: Int, isEnd: Bool) {
        var none: UInt8 = 0
        return try withUnsafeMutablePointer(to: &none) { output throws(InflateFailure) in
            // It stops between the header and the first block (zlib.h, inflate, Z_BLOCK), and so writes nothing.
            let step = try inflate(input, into: UnsafeMutableBufferPointer(start: output, count: 1), flush: Z_BLOCK)
            return (step?.consumed ?? 0, stream.pointee.data_type & 128 != 0)
        }
    }

    func begin() {}

    func inflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>
    ) throws(InflateFailure) -> InflateStep? {
        try inflate(input, into: output, flush: Z_NO_FLUSH)
    }

    private func inflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>, flush: Int32
    ) throws(InflateFailure) -> InflateStep? {
        // zlib does not write through next_in; its type only lacks the const.
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(input.count)
        (stream.pointee.next_out, stream.pointee.avail_out) = (output.baseAddress, UInt32(output.count))
        let status = CZlib.inflate(stream, flush)
        let step = InflateStep(
            consumed: input.count - Int(stream.pointee.avail_in),
            produced: output.count - Int(stream.pointee.avail_out), isEnd: status == Z_STREAM_END)
        switch status {
        case Z_OK, Z_STREAM_END: return step
        case Z_BUF_ERROR where step.consumed == 0 && step.produced == 0 && input.isEmpty: return nil
        case Z_MEM_ERROR: throw .outOfMemory
        default: throw .damaged(stream.pointee.msg.map { String(cString: $0) } ?? "damaged")
        }
    }
}
