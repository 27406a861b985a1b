import Posix
import Synchronization

/// Decompresses on a thread of its own, so that what comes out is looked at while more of it is made.
///
/// What is under way is bounded: a few pieces of input, and a few of content, however much those stand for.
final class BackgroundDecoder {
    /// How many pieces of input, of 1 MiB at most, wait or are worked on.
    private static let inputWindow = 2
    /// How many pieces of content, of 256 KiB at most, wait.
    private static let window = 8

    private enum Event: Sendable {
        case content([UInt8])
        /// A piece of input is done with.
        case end((any Error)?)
    }

    /// What threads share.
    private final class Worker: Sendable {
        /// Behind a lock that nobody waits for: it is used by the thread, and here when that is done.
        private let decoder: Mutex<any StreamDecoder>
        /// Of the content; nil where nobody asks for it.
        let hasher: SharedHasher?
        let events: BoundedQueue<Event>

        /// Nobody takes the content any more.
        private struct Closed: Error {}

        init?(_ format: StreamFormat, isHashing: Bool) throws {
            guard let decoder = try format.makeDecoder() else { return nil }
            self.decoder = Mutex(decoder)
            hasher = isHashing ? SharedHasher() : nil
            events = BoundedQueue(capacity: BackgroundDecoder.window)
        }

        func decompress(_ piece: [UInt8]) {
            var failure: (any Error)?
            do {
                try decoder.withLock { decoder in
                    try piece.withUnsafeBytes { piece in
                        try decoder.decompress(piece) { content in
                            hasher?.update(content)
                            guard events.put(.content(Array(content))) else { throw Closed() }
                        }
                    }
                }
            } catch {
                failure = error
            }
            _ = events.put(.end(failure))
        }

        func finish() throws { try decoder.withLock { try $0.finish() } }
    }

    private let worker: Worker
    private let work: OrderedWork<Void, Never>
    /// The sizes of the pieces of input that are not done with.
    private var pending: [Int] = []
    /// The size of all pieces of input whose content was passed on, or begun to be.
    private(set) var begun: UInt64 = 0

    /// - Parameter isHashing: whether the content is hashed.
    /// - Returns: nil where nothing is compressed, and where no thread is to be had.
    init?(_ format: StreamFormat, isHashing: Bool) throws {
        guard let worker = try Worker(format, isHashing: isHashing) else { return nil }
        self.worker = worker
        work = OrderedWork(threads: 1)
        guard work.isParallel else { return nil }
    }

    deinit { worker.events.close() }

    /// Hands over `input`, and passes the content that is there to `body`: that of pieces handed over before, mostly.
    ///
    /// - Throws: what the decoder and `body` throw; then it is of no further use.
    func decompress(_ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let (worker, piece) = (worker, Array(input))
        work.add { worker.decompress(piece) }
        if pending.isEmpty { begun += UInt64(piece.count) }
        pending.append(piece.count)
        while pending.count > Self.inputWindow { try passNext(body) }
    }

    /// Passes on what is left, and checks that the stream is whole.
    ///
    /// - Throws: as ``decompress(_:_:)``.
    func finish(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        while !pending.isEmpty { try passNext(body) }
        try worker.finish()
    }

    /// What hashes the content; whole when it is finished.
    var hasher: SharedHasher? { worker.hasher }

    private func passNext(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        switch worker.events.take() {
        case .content(let content): try content.withUnsafeBytes(body)
        case .end(let failure):
            work.next()
            if let failure { throw failure }
            pending.removeFirst()
            begun += UInt64(pending.first ?? 0)
        }
    }
}
