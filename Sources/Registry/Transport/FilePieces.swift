internal import NIOCore
import Posix

/// A range of a file as the body of a request: read when it is sent, as often as it is sent.
struct FilePieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let file: SharedDescriptor
    let range: Range<Int64>
    /// Called with the offset up to which the file was read.
    let progress: @Sendable (Int64) -> Void

    /// The file has less than the range.
    struct Shortened: Error {}

    func makeAsyncIterator() -> Iterator { Iterator(pieces: self, position: range.lowerBound) }

    struct Iterator: AsyncIteratorProtocol {
        let pieces: FilePieces
        var position: Int64

        mutating func next() async throws -> ByteBuffer? {
            guard position < pieces.range.upperBound else { return nil }
            let wanted = Int(Swift.min(256 << 10, pieces.range.upperBound - position))
            var buffer = ByteBufferAllocator().buffer(capacity: wanted)
            let offset = UInt64(position)
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { space in
                try pieces.file.descriptor.read(
                    at: offset, into: UnsafeMutableRawBufferPointer(rebasing: space[..<wanted]))
            }
            guard count > 0 else { throw Shortened() }
            position += Int64(count)
            pieces.progress(position)
            return buffer
        }
    }
}
