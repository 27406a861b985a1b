public import Bytes

/// A SHA-256 digest: the identity of a content.
///
/// Written as OCI writes it, `sha256:` and 64 lower-case hexadecimal digits (image-spec, descriptor.md, Digests).
public struct Digest: Hashable, Sendable {
    // Four words instead of an array: no allocation, cheap to hash and compare.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The digest with these 32 bytes; nil when there are not exactly 32.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        self.words = (words[0], words[1], words[2], words[3])
    }

    /// The digest with these 64 lower-case hexadecimal digits.
    ///
    /// - Throws: ``DigestError`` for any other length or character, upper case included.
    public init(hexadecimal text: some Collection<UInt8>) throws(DigestError) {
        guard text.count == 64 else { throw .malformed(ByteString(text)) }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, character) in text.enumerated() {
            let value: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = character - UInt8(ascii: "a") + 10
            default: throw .malformed(ByteString(text))
            }
            words[index / 16] = words[index / 16] << 4 | UInt64(value)
        }
        self.words = (words[0], words[1], words[2], words[3])
    }

    /// The digest written as `sha256:<64 hexadecimal digits>`.
    ///
    /// - Throws: ``DigestError`` for another algorithm, length or case.
    public init(parsing text: String) throws(DigestError) {
        guard text.utf8.starts(with: "sha256:".utf8) else { throw .malformed(ByteString(text)) }
        try self.init(hexadecimal: Array(text.utf8.dropFirst(7)))
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    /// 64 lower-case hexadecimal digits.
    public var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 64) { buffer in
            var position = 0
            for word in [words.0, words.1, words.2, words.3] {
                for shift in stride(from: 60, through: 0, by: -4) {
                    buffer[position] = digits[Int(word >> UInt64(shift) & 15)]
                    position += 1
                }
            }
            return 64
        }
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
