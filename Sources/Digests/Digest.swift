public import Bytes

/// A SHA-256 digest: the identity of a content.
///
/// Written as OCI writes it, `sha256:` and 64 lower-case hexadecimal digits (image-spec, descriptor.md, Digests).
public struct Digest: Hashable, Sendable, BitwiseCopyable {
    // Four words instead of an array: no allocation, cheap to hash and compare.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest with these 32 bytes; nil when there are not exactly 32.
    public init?(bytes: some Collection<UInt8>) {
        if let digest = bytes.withContiguousStorageIfAvailable({ Digest(UnsafeRawBufferPointer($0)) }) {
            guard let digest else { return nil }
            self = digest
        } else {
            guard let digest = Array(bytes).withUnsafeBytes({ Digest($0) }) else { return nil }
            self = digest
        }
    }

    /// The digest with the 32 bytes in `buffer`; nil when there are not exactly 32.
    public init?(_ buffer: UnsafeRawBufferPointer) {
        guard buffer.count == 32 else { return nil }
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// The digest with these 64 lower-case hexadecimal digits.
    ///
    /// - Throws: ``DigestError`` for any other length or character, upper case included.
    public init(hexadecimal text: some Collection<UInt8>) throws(DigestError) {
        let found =
            text.withContiguousStorageIfAvailable { Digest(hexadecimalDigits: $0) }
            ?? Array(text).withUnsafeBufferPointer { Digest(hexadecimalDigits: $0) }
        guard let found else { throw .malformed(ByteString(text)) }
        self = found
    }

    /// The digest with the 64 lower-case hexadecimal digits in `text`; nil for anything else.
    public init?(hexadecimalDigits text: UnsafeBufferPointer<UInt8>) {
        guard text.count == 64 else { return nil }
        let bytes = UnsafeRawBufferPointer(text)
        func word(_ start: Int) -> UInt64? {
            guard let high = Self.fourBytes(bytes, start), let low = Self.fourBytes(bytes, start + 8) else {
                return nil
            }
            return high << 32 | low
        }
        guard let first = word(0), let second = word(16), let third = word(32), let fourth = word(48) else {
            return nil
        }
        words = (first, second, third, fourth)
    }

    /// The number that is written as eight digits at `start`, all of them taken at once; nil for anything else.
    private static func fourBytes(_ text: UnsafeRawBufferPointer, _ start: Int) -> UInt64? {
        let (ones, nibbles): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x0f0f_0f0f_0f0f_0f0f)
        let word = UInt64(bigEndian: text.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        // Letters have the bit 0x40, and the first of them ends in 1.
        let digits = (word & nibbles) &+ ((word >> 6) & ones) &* 9
        // Each must be what this digit is written as.
        let areLetters = ((digits &+ ones &* 6) >> 4) & ones
        guard digits & ~nibbles == 0, word == digits &+ ones &* 0x30 &+ areLetters &* 39 else { return nil }
        let pairs = (digits | digits >> 4) & 0x00ff_00ff_00ff_00ff
        let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff
        return (fours | fours >> 16) & 0xffff_ffff
    }

    /// The digest written as `sha256:<64 hexadecimal digits>`.
    ///
    /// - Throws: ``DigestError`` for another algorithm, length or case.
    public init(parsing text: String) throws(DigestError) {
        guard text.utf8.starts(with: "sha256:".utf8) else { throw .malformed(ByteString(text)) }
        try self.init(hexadecimal: Array(text.utf8.dropFirst(7)))
    }

    /// The 32 bytes.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Calls `body` with the 32 bytes, which are valid only meanwhile.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let ordered = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
        return try Swift.withUnsafeBytes(of: ordered, body)
    }

    /// 64 lower-case hexadecimal digits.
    public var hexadecimal: String {
        String(unsafeUninitializedCapacity: 64) { buffer in
            writeHexadecimal(to: buffer.baseAddress!)
            return 64
        }
    }

    /// Writes the 64 lower-case hexadecimal digits to `output`, which has room for them.
    public func writeHexadecimal(to output: UnsafeMutablePointer<UInt8>) {
        func write(_ word: UInt64, _ start: Int) {
            for index in 0..<16 {
                let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * index)) & 15
                output[start + index] = nibble + (nibble < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            }
        }
        write(words.0, 0)
        write(words.1, 16)
        write(words.2, 32)
        write(words.3, 48)
    }

    /// The first 12 hexadecimal digits, for tables.
    public var short: String { String(hexadecimal.prefix(12)) }

    public static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        // One word of a SHA-256 is as well spread as any hash of it.
        hasher.combine(words.0)
    }
}

extension Digest: Comparable {
    public static func < (left: Digest, right: Digest) -> Bool { left.words < right.words }
}

extension Digest: CustomStringConvertible {
    /// `sha256:` and the hexadecimal digits.
    public var description: String { "sha256:" + hexadecimal }
}

extension Digest: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(parsing: decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Why a text is not a digest, or a content not what its digest says.
public enum DigestError: Error, Hashable, CustomStringConvertible {
    /// The text is not `sha256:` and 64 lower-case hexadecimal digits.
    case malformed(ByteString)

    public var description: String {
        switch self {
        case .malformed(let text):
            "not a SHA-256 digest (sha256: and 64 lower-case hexadecimal digits): \(text)"
        }
    }
}
