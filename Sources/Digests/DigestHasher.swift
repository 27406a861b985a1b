import Crypto

/// Computes a ``Digest`` from bytes that come in pieces.
public struct DigestHasher: Sendable {
    private var hash = SHA256()

    /// How many bytes were hashed so far.
    public private(set) var count: UInt64 = 0

    public init() {}

    /// Hashes the next bytes. Pieces of 64 KiB and more run at the speed of the processor's SHA instructions.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
        count += UInt64(bytes.count)
    }

    /// The digest of all bytes given so far.
    public consuming func finalize() -> Digest {
        hash.finalize().withUnsafeBytes { Digest($0)! }
    }
}

extension Digest {
    /// The digest of `bytes`.
    public init(hashing bytes: [UInt8]) {
        var hasher = DigestHasher()
        bytes.withUnsafeBytes { hasher.update($0) }
        self = hasher.finalize()
    }

    /// The digest of no bytes at all.
    public static let empty = Digest(hashing: [])
}
