import Bytes
import Digests
import Posix
import Synchronization

/// Reads a file back while it is still being written, on a thread of its own: that it holds what it should is then known as soon as
/// it is whole.
///
/// What is read is compared with what was written while that is at hand, and hashed; while the two are the same, one digest is that of
/// both.
final class ReadBack {
    /// What is read out of the file.
    enum Depth {
        case digest
        /// What it decompresses to as well: how much that is, and, where `isHashing`, its digest.
        case decoding(isHashing: Bool)
    }

    /// What the file decompresses to.
    struct Content: Sendable {
        /// In bytes.
        var size: UInt64
        /// nil when it was not asked for.
        var digest: Digest?
    }

    /// How many pieces may wait to be read.
    private static let window = 16

    private let reading: Reading
    private let work: OrderedWork<Void, any Error>
    private var end: UInt64 = 0

    /// - Parameter file: nothing of it is read before ``advance(by:)`` tells that it is there.
    init(_ file: StagedFile, _ depth: Depth) throws {
        let descriptor = try file.reopen()
        reading = Reading(descriptor, depth)
        work = OrderedWork(threads: 1)
    }

    /// The next `count` bytes are in the file.
    func advance(by count: Int) throws { try advance(by: count, comparing: nil) }

    /// `piece` was written to the file as the next.
    func advance(over piece: [UInt8]) throws { try advance(by: piece.count, comparing: piece) }

    private func advance(by count: Int, comparing piece: [UInt8]?) throws {
        if work.count == Self.window { try work.next() }
        let range = end..<(end + UInt64(count))
        end = range.upperBound
        let reading = reading
        work.add { try reading.read(range, comparing: piece) }
    }

    /// Waits until all that is there is read.
    ///
    /// - Returns: the digest of what was written, as far as it was compared.
    /// - Throws: `SystemError`.
    func catchUp() throws -> Digest {
        while try work.next() != nil {}
        return reading.written
    }

    /// Waits until everything is read.
    ///
    /// - Parameters:
    ///   - expected: the digest that the file should have.
    ///   - name: what it is called in errors.
    /// - Returns: what it decompresses to; nil when that was not asked for.
    /// - Throws: ``TransportError/digestMismatch(name:expected:actual:)``; `SystemError`; another ``TransportError`` when it cannot
    ///   be decompressed.
    func finish(expecting expected: Digest, name: String) throws -> Content? {
        while try work.next() != nil {}
        return try reading.finish(expecting: expected, name: name)
    }

    /// What the thread does.
    private final class Reading: Sendable {
        private let file: OwnedDescriptor
        private let state: Mutex<State>

        init(_ file: consuming OwnedDescriptor, _ depth: Depth) {
            self.file = file
            state = Mutex(State(depth))
        }

        func read(_ range: Range<UInt64>, comparing piece: [UInt8]?) throws {
            try state.withLock { state in
                var start = 0
                try file.forEachPiece(in: range, name: "\(file.path)") { found in
                    piece?.withUnsafeBytes { piece in
                        state.compare(found, UnsafeRawBufferPointer(rebasing: piece[start..<(start + found.count)]))
                    }
                    start += found.count
                    state.add(found)
                }
            }
        }

        var written: Digest { state.withLock { $0.digestOfWritten } }

        func finish(expecting expected: Digest, name: String) throws -> Content? {
            try state.withLock { try $0.finish(expecting: expected, name: name) }
        }
    }

    /// What was read so far.
    private struct State {
        private var hasher = DigestHasher()
        /// Of what was written, from where it was not what was read.
        private var written: DigestHasher?
        private let decompressor: Decompressor?
        private var content: DigestHasher?
        /// What damaged bytes lead to: told unless the digest says what is wrong.
        private var failure: (any Error)?

        init(_ depth: Depth) {
            guard case .decoding(let isHashing) = depth else {
                decompressor = nil
                return
            }
            // What was just written may be as compressible as it likes.
            decompressor = Decompressor(limit: .none)
            content = isHashing ? DigestHasher() : nil
        }

        /// Before ``add(_:)``: `found` lies where `piece` was written.
        mutating func compare(_ found: UnsafeRawBufferPointer, _ piece: UnsafeRawBufferPointer) {
            if written == nil {
                if ByteComparison.areEqual(found, piece) { return }
                written = hasher
            }
            written?.update(piece)
        }

        var digestOfWritten: Digest {
            let hasher = written ?? hasher
            return hasher.finalize()
        }

        mutating func add(_ piece: UnsafeRawBufferPointer) {
            hasher.update(piece)
            guard let decompressor, failure == nil else { return }
            do {
                try decompressor.decompress(piece) { content?.update($0) }
            } catch {
                failure = error
            }
        }

        mutating func finish(expecting expected: Digest, name: String) throws -> Content? {
            if let decompressor, failure == nil {
                do { try decompressor.finish { content?.update($0) } } catch { failure = error }
            }
            let actual = hasher.finalize()
            guard actual == expected else {
                throw TransportError.digestMismatch(name: name, expected: expected, actual: actual)
            }
            if let failure { throw failure }
            return decompressor.map { Content(size: $0.produced, digest: content?.finalize()) }
        }
    }
}
