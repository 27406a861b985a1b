import Bytes

/// JSON (RFC 8259) as far as notes hold it: numbers and words are recognised and not kept.
enum NoteJSON: Hashable, Sendable {
    case string(ByteString)
    case array([NoteJSON])
    case object([ByteString: NoteJSON])
    case other

    var text: ByteString? { if case .string(let text) = self { text } else { nil } }

    /// Nil when `text` is not one JSON value, or nested deeper than ``maximumDepth``.
    static func parse(_ text: ArraySlice<UInt8>) -> NoteJSON? {
        var parser = Parser(rest: text)
        guard let value = parser.value(depth: 0), parser.isAtEnd else { return nil }
        return value
    }

    private static let maximumDepth = 16

    private struct Parser {
        var rest: ArraySlice<UInt8>

        var isAtEnd: Bool { rest.allSatisfy(Self.isBlank) }

        private static func isBlank(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
        }

        /// Passes blanks, and `byte` if it is next.
        private mutating func take(_ byte: Unicode.Scalar) -> Bool {
            rest = rest.drop(while: Self.isBlank)
            guard rest.first == UInt8(ascii: byte) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func value(depth: Int) -> NoteJSON? {
            guard depth <= NoteJSON.maximumDepth else { return nil }
            if take("[") { return array(depth: depth) }
            if take("{") { return object(depth: depth) }
            if take("\"") { return string().map { .string($0) } }
            let word = rest.prefix { Self.isWordByte($0) }
            rest = rest[word.endIndex...]
            return Self.isValue(word) ? .other : nil
        }

        private mutating func array(depth: Int) -> NoteJSON? {
            var elements: [NoteJSON] = []
            if take("]") { return .array([]) }
            repeat {
                guard let element = value(depth: depth + 1) else { return nil }
                elements.append(element)
            } while take(",")
            return take("]") ? .array(elements) : nil
        }

        private mutating func object(depth: Int) -> NoteJSON? {
            var fields: [ByteString: NoteJSON] = [:]
            if take("}") { return .object([:]) }
            repeat {
                guard take("\""), let key = string(), take(":"), let element = value(depth: depth + 1) else {
                    return nil
                }
                fields[key] = element
            } while take(",")
            return take("}") ? .object(fields) : nil
        }

        /// What follows an opening quote, which is taken already.
        private mutating func string() -> ByteString? {
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""):
                    return String(validating: bytes, as: UTF8.self) == nil ? nil : ByteString(bytes)
                case 0..<0x20: return nil
                case UInt8(ascii: "\\"):
                    guard let escaped = escape() else { return nil }
                    bytes += escaped
                default: bytes.append(byte)
                }
            }
            return nil
        }

        private mutating func escape() -> [UInt8]? {
            guard let byte = rest.popFirst() else { return nil }
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0c]
            case UInt8(ascii: "n"): return [0x0a]
            case UInt8(ascii: "r"): return [0x0d]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "u"):
                guard var code = hexadecimal() else { return nil }
                if (0xd800..<0xdc00).contains(code) {
                    guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"),
                        let low = hexadecimal(), (0xdc00..<0xe000).contains(low)
                    else { return nil }
                    code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
                }
                return Unicode.Scalar(code).map { Array(String($0).utf8) }
            default: return nil
            }
        }

        private mutating func hexadecimal() -> UInt32? {
            let digits = rest.prefix(4)
            guard digits.count == 4, !digits.contains(UInt8(ascii: "+")), !digits.contains(UInt8(ascii: "-")) else {
                return nil
            }
            rest = rest.dropFirst(4)
            return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        }

        private static func isWordByte(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "E")
                || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }

        private static func isValue(_ word: ArraySlice<UInt8>) -> Bool {
            let text = String(decoding: word, as: UTF8.self)
            return ["true", "false", "null"].contains(text)
                || ((0x30...0x39).contains(word.last ?? 0) && word.first != UInt8(ascii: "+") && Double(text) != nil)
        }
    }
}
