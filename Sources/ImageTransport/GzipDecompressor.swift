/// Decompresses a gzip stream that comes in pieces, of one member or several (RFC 1952), in bounded memory.
///
/// zlib reads the headers, and the fastest there is the data.
final class GzipDecompressor {
    /// Where in the stream the next byte is.
    private enum Place {
        case beforeMember, header, data
    }

    private let headers: ZlibInflater
    private let data: any MemberInflater
    private var place = Place.beforeMember
    private var consumed: UInt64 = 0
    private var produced: UInt64 = 0
    private let limit: UInt64
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    /// - Parameters:
    ///   - limit: how many uncompressed bytes are accepted.
    ///   - byZlib: whether zlib reads all of it.
    /// - Throws: ``TransportError/outOfMemory``.
    init(limit: UInt64 = .max, byZlib: Bool = false) throws(TransportError) {
        self.limit = limit
        headers = try ZlibInflater()
        #if arch(x86_64)
            data = byZlib ? headers : try IsalInflater()
        #else
            data = headers
        #endif
    }

    /// Decompresses `input` and passes the content to `body`.
    ///
    /// - Throws: ``TransportError/gzip(reason:offset:)`` for damage, for bytes after the last member, and beyond the limit.
    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        // Both count in 32 bits; the pieces that are read are far smaller.
        precondition(input.count < 1 << 30, "piece too large")
        var rest = input
        while !rest.isEmpty {
            switch place {
            case .beforeMember:
                headers.beginHeader()
                place = .header
            case .header: try readHeader(&rest)
            case .data: try readData(&rest, body)
            }
        }
    }

    private func readHeader(_ rest: inout UnsafeRawBufferPointer) throws(TransportError) {
        let read: (consumed: Int, isEnd: Bool)
        do { read = try headers.readHeader(rest) } catch { throw failure(error) }
        take(read.consumed, from: &rest)
        guard read.isEnd else { return }
        data.begin()
        place = .data
    }

    private func readData(
        _ rest: inout UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        // A full buffer may leave content inside the inflater even without further input.
        while let step = try inflate(rest) {
            take(step.consumed, from: &rest)
            produced += UInt64(step.produced)
            guard produced <= limit else {
                throw TransportError.gzip(reason: "more than \(limit) bytes", offset: consumed)
            }
            if step.produced > 0 {
                try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<step.produced])) }
            }
            if step.isEnd { place = .beforeMember }
            if step.isEnd || rest.isEmpty && step.produced < buffer.count { return }
        }
    }

    private func inflate(_ input: UnsafeRawBufferPointer) throws(TransportError) -> InflateStep? {
        do {
            return try buffer.withUnsafeMutableBufferPointer { output throws(InflateFailure) in
                try data.inflate(input, into: output)
            }
        } catch { throw failure(error) }
    }

    private func take(_ count: Int, from rest: inout UnsafeRawBufferPointer) {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        consumed += UInt64(count)
    }

    private func failure(_ failure: InflateFailure) -> TransportError {
        switch failure {
        case .damaged(let reason): .gzip(reason: reason, offset: consumed)
        case .outOfMemory: .outOfMemory
        }
    }

    /// - Throws: ``TransportError/gzip(reason:offset:)`` when the stream ends inside a member.
    func finish() throws(TransportError) {
        if place != .beforeMember || consumed == 0 { throw .gzip(reason: "it ends too early", offset: consumed) }
    }
}
