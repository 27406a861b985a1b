import Digests
import Posix
import Synchronization

/// Takes bytes in order. Sinks are stacked: packing writes to a compressor, which writes to a file.
protocol ByteSink: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws
    func write(_ bytes: [UInt8]) throws
}

extension ByteSink {
    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
}

/// Gathers small writes into large ones and hashes them on their way, on another thread where there is one.
///
/// Tar comes in blocks of 512 bytes; hashing and writing run at full speed only from 64 KiB on.
final class HashingBuffer: ByteSink {
    private static let capacity = 256 << 10
    /// How many pieces may wait to be hashed.
    private static let window = 4

    private let output: any ByteSink
    private var buffer: [UInt8] = []
    private let hasher = SharedHasher()
    /// nil when nothing is hashed.
    private let work: OrderedWork<Void, Never>?
    private var passed: UInt64 = 0

    /// - Parameter isHashing: false when the digest is known, wanted by nobody, or computed behind this.
    init(output: any ByteSink, isHashing: Bool = true, pool: WorkerPool = WorkerPool()) {
        self.output = output
        work = isHashing ? OrderedWork(threads: pool.workers == 1 ? 0 : 1) : nil
        buffer.reserveCapacity(Self.capacity)
    }

    /// How many bytes were written to this buffer so far.
    var count: UInt64 { passed + UInt64(buffer.count) }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let taken = min(rest.count, Self.capacity - buffer.count)
            buffer.append(contentsOf: rest[..<taken])
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            if buffer.count == Self.capacity { try flush() }
        }
    }

    /// Passes on what is left.
    func finish() throws {
        try flush()
        while work?.next() != nil {}
    }

    /// Of everything, when it is finished.
    var digest: Digest { hasher.digest }

    private func flush() throws {
        guard !buffer.isEmpty else { return }
        if let work {
            if work.count == Self.window { work.next() }
            let (hasher, piece) = (hasher, buffer)
            work.add { hasher.update(piece) }
        }
        try output.write(buffer)
        passed += UInt64(buffer.count)
        buffer = []
        buffer.reserveCapacity(Self.capacity)
    }
}

/// A hasher that another thread feeds.
final class SharedHasher: Sendable {
    private let state = Mutex(DigestHasher())

    func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes(update) }

    func update(_ bytes: UnsafeRawBufferPointer) { state.withLock { $0.update(bytes) } }

    /// How many bytes were hashed so far.
    var count: UInt64 { state.withLock { $0.count } }

    /// Of what was hashed so far.
    var digest: Digest {
        let copy = state.withLock { $0 }
        return copy.finalize()
    }
}
