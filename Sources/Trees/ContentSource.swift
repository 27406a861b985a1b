public import Digests

/// Gives the content of a tree's files.
///
/// The one thing that packing and materializing need to know of a store, so that they can be tested without one.
public protocol ContentSource: Sendable {
    /// The size of the content named `digest` in bytes; nil when there is none.
    func size(of digest: Digest) throws -> UInt64?

    /// Streams the content named `digest` to `body` in pieces, in order, and checks it on the way.
    ///
    /// - Throws: what the source throws when the content is absent, cannot be read, or is not what `digest` and `size`
    ///   say; the last is known only at the end, when `body` has already seen the bytes. What `body` throws is passed on.
    func readContent(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws

    /// The same, without comparing the digest: for who compares that of all that the contents go into, and asks
    /// ``readContent(_:size:_:)`` about each when that is another. The size is checked.
    func readUnchecked(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws
}

extension ContentSource {
    public func readUnchecked(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try readContent(digest, size: size, body)
    }
}

/// Contents held in memory, for tests and for small generated files.
public struct MemoryContents: ContentSource {
    private var contents: [Digest: [UInt8]] = [:]

    public init() {}

    /// Keeps `bytes` and gives their digest.
    public mutating func insert(_ bytes: [UInt8]) -> Digest {
        let digest = Digest(hashing: bytes)
        contents[digest] = bytes
        return digest
    }

    public func size(of digest: Digest) -> UInt64? { contents[digest].map { UInt64($0.count) } }

    public func readContent(
        _ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let bytes = contents[digest], UInt64(bytes.count) == size else {
            throw MissingContent(digest: digest)
        }
        try bytes.withUnsafeBytes(body)
    }
}

/// ``MemoryContents`` does not hold this content.
public struct MissingContent: Error, Hashable, CustomStringConvertible {
    public let digest: Digest

    public var description: String { "no content \(digest) is held in memory" }
}
