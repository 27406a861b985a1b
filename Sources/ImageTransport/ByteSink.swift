import Digests

/// Takes bytes in order. Sinks are stacked: packing writes to a compressor, which writes to a file.
protocol ByteSink: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws
}

extension ByteSink {
    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
}

/// Gathers small writes into large ones and hashes them on their way.
///
/// Tar comes in blocks of 512 bytes; hashing and writing run at full speed only from 64 KiB on.
final class HashingBuffer: ByteSink {
    private static let capacity = 256 << 10

    private let output: any ByteSink
    private var buffer: [UInt8] = []
    private var hasher = DigestHasher()

    init(output: any ByteSink) {
        self.output = output
        buffer.reserveCapacity(Self.capacity)
    }

    /// How many bytes were written to this buffer so far.
    var count: UInt64 { hasher.count + UInt64(buffer.count) }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        if buffer.count + bytes.count > Self.capacity { try flush() }
        if bytes.count >= Self.capacity / 2 {
            try flush()
            try pass(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    /// Passes on what is left and gives the digest of everything.
    func finish() throws -> Digest {
        try flush()
        return hasher.finalize()
    }

    private func flush() throws {
        guard !buffer.isEmpty else { return }
        try buffer.withUnsafeBytes { try pass($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func pass(_ bytes: UnsafeRawBufferPointer) throws {
        hasher.update(bytes)
        try output.write(bytes)
    }
}
