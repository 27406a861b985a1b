import Bytes

/// The escapes of composefs-dump(5): `\xNN` for everything that is not plain ASCII, and for the separators.
enum DumpField {
    /// Writes an optional field: empty is `-`, and a lone `-` is escaped.
    static func escape(_ value: ByteString, to output: inout [UInt8]) {
        value.bytes.withUnsafeBytes { escape($0, to: &output) }
    }

    static func escape(_ value: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        if value.isEmpty {
            output.append(UInt8(ascii: "-"))
        } else if value.count == 1, value[0] == UInt8(ascii: "-") {
            output.append(contentsOf: "\\x2d".utf8)
        } else {
            escapeRaw(value, to: &output)
        }
    }

    /// Writes the bytes of an attribute's name or value, which may be empty.
    static func escapeRaw(_ value: ByteString, to output: inout [UInt8]) {
        value.bytes.withUnsafeBytes { escapeRaw($0, to: &output) }
    }

    static func escapeRaw(_ value: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        if EightBytes.arePlain(value) { return output.append(contentsOf: value) }
        let digits = Array("0123456789abcdef".utf8)
        for byte in value {
            switch byte {
            case UInt8(ascii: "\\"): output.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "="), 0...0x20, 0x7f...0xff:
                output.append(contentsOf: [
                    UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)],
                ])
            default: output.append(byte)
            }
        }
    }

    static func unescape(_ field: UnsafeBufferPointer<UInt8>) -> ByteString? {
        field.count == 1 && field[0] == UInt8(ascii: "-") ? ByteString([UInt8]()) : unescapeRaw(field)
    }

    /// nil for an escape that composefs-dump(5) does not have.
    static func unescapeRaw(_ field: UnsafeBufferPointer<UInt8>) -> ByteString? {
        guard field.contains(UInt8(ascii: "\\")) else { return ByteString(Array(field)) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(field.count)
        var rest = field[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(byte)
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        return ByteString(bytes)
    }
}
