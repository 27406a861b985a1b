/// The order of the bytes of a number in a file.
public enum ByteOrder: Hashable, Sendable {
    case little, big
}

/// Numbers and strings at offsets of bytes that are not trusted.
///
/// Every access is checked and gives nil outside the bytes; no offset, however large, traps.
public struct ByteReader: Sendable {
    @usableFromInline let bytes: ArraySlice<UInt8>
    public let order: ByteOrder

    public init(_ bytes: ArraySlice<UInt8>, order: ByteOrder) {
        self.bytes = bytes
        self.order = order
    }

    public init(_ bytes: [UInt8], order: ByteOrder) {
        self.init(bytes[...], order: order)
    }

    public var count: Int { bytes.count }

    /// The number of the width of `Integer` at `offset`.
    @inlinable
    public func integer<Integer: FixedWidthInteger>(at offset: Int, as _: Integer.Type = Integer.self) -> Integer? {
        // No slice is made, which would count references for each number of a file.
        guard offset >= 0, offset <= bytes.count, MemoryLayout<Integer>.size <= bytes.count - offset else { return nil }
        let raw = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Integer.self) }
        return order == .little ? Integer(littleEndian: raw) : Integer(bigEndian: raw)
    }

    /// The `count` bytes from `offset`, when all of them are there.
    public func slice(at offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        let start = bytes.startIndex + offset
        return bytes[start..<start + count]
    }

    /// Whether `needle`, which is not empty, is somewhere among the bytes.
    public func contains(_ needle: [UInt8]) -> Bool {
        guard let first = needle.first, needle.count <= bytes.count else { return false }
        return bytes.withUnsafeBytes { hay in
            (0...(hay.count - needle.count)).contains { start in
                hay[start] == first && hay[start..<(start + needle.count)].elementsEqual(needle)
            }
        }
    }

    /// The bytes from `offset` to the next NUL, which must be among the first `limit`; the NUL is left out.
    ///
    /// The limit keeps a file in which many entries name one long string from filling the memory.
    public func terminatedString(at offset: Int, limit: Int = 4096) -> ByteString? {
        guard offset >= 0, offset < bytes.count else { return nil }
        return bytes.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...].prefix(limit))
            return rest.firstIndex(of: 0).map { ByteString(Array(rest[..<$0])) }
        }
    }
}
