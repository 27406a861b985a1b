/// A string of bytes: a file name, a link target, a path, a soname.
///
/// Names on Linux are bytes, not text. Swift's `String` compares by Unicode canonical equivalence and repairs
/// invalid UTF-8, so two different files could become one key; a `ByteString` compares byte for byte and never
/// changes what it was given. Use ``description`` to show it to a person.
public struct ByteString: Hashable, Sendable {
    /// The bytes, as read from the kernel or a file. May hold any value, NUL included.
    public var bytes: [UInt8]

    public init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// These bytes, which are not copied.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The UTF-8 bytes of `text`.
    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// All bytes at once; the array's own hashing feeds them one by one, which dominates look-ups by path.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(bytes.count)
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    public var count: Int { bytes.count }
    public var isEmpty: Bool { bytes.isEmpty }

    public static func + (left: ByteString, right: ByteString) -> ByteString {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(left.bytes.count + right.bytes.count)
        bytes.append(contentsOf: left.bytes)
        bytes.append(contentsOf: right.bytes)
        return ByteString(bytes)
    }

    public func hasPrefix(_ prefix: ByteString) -> Bool {
        bytes.withUnsafeBytes { all in
            prefix.bytes.withUnsafeBytes { wanted in
                all.count >= wanted.count && ByteComparison.comparePrefix(all, wanted) == 0
            }
        }
    }

    public func hasSuffix(_ suffix: ByteString) -> Bool {
        bytes.count >= suffix.count && bytes.suffix(suffix.count).elementsEqual(suffix.bytes)
    }

    public func contains(_ byte: UInt8) -> Bool { bytes.contains(byte) }

    /// The parts between occurrences of `separator`; empty parts are kept.
    public func split(on separator: UInt8) -> [ByteString] {
        bytes.split(separator: separator, omittingEmptySubsequences: false).map { ByteString($0) }
    }
}

extension ByteString: Comparable {
    /// Order of the bytes as unsigned numbers, as memcmp(3), a prefix first.
    public static func < (left: ByteString, right: ByteString) -> Bool {
        left.bytes.withUnsafeBufferPointer { a in
            right.bytes.withUnsafeBufferPointer { b in
                let order = ByteComparison.comparePrefix(UnsafeRawBufferPointer(a), UnsafeRawBufferPointer(b))
                if order != 0 { return order < 0 }
                return a.count < b.count
            }
        }
    }
}

extension ByteString: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}

extension ByteString: CustomStringConvertible {
    /// The text a person is shown: UTF-8 as it is, control characters and invalid bytes as `\xNN`.
    ///
    /// Escaping keeps a hostile name from moving the cursor of a terminal or forging a line of output.
    public var description: String {
        if bytes.allSatisfy(Self.isPlain) { return String(decoding: bytes, as: UTF8.self) }
        var result = ""
        var iterator = bytes.makeIterator()
        var decoder = UTF8.ForwardParser()
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let encoded):
                let scalar = UTF8.decode(encoded)
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate:
                    result += encoded.map(Self.escape).joined()
                default:
                    result += scalar == "\\" ? "\\\\" : String(scalar)
                }
            case .error:
                // Not UTF-8: then no part of it is shown as such, so that equal bytes always look equal.
                return bytes.map { Self.isPlain($0) ? String(UnicodeScalar($0)) : Self.escape($0) }.joined()
            case .emptyInput:
                return result
            }
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\\")
    }

    private static func escape(_ byte: UInt8) -> String {
        let digits = Array("0123456789abcdef")
        return "\\x" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
    }

    /// The bytes as text if they are valid UTF-8.
    public var utf8Text: String? { String(validating: bytes, as: UTF8.self) }
}
