import Bytes

/// Extended attributes in PAX records: `SCHILY.xattr.NAME` with the value as it is (star, GNU tar, container engines), and
/// `LIBARCHIVE.xattr.NAME`, name URL-encoded and value in base64 (libarchive-formats(5)).
enum AttributeRecords {
    private static let libarchivePrefix: ByteString = "LIBARCHIVE.xattr."

    /// The attributes among `records`. Where both forms have one name, the first form counts: it has all bytes.
    ///
    /// - Throws: ``TarError/badRecord(reason:offset:)`` for a value that is no base64.
    static func attributes(
        _ records: [ByteString: ByteString], offset: UInt64
    ) throws(TarError) -> [TarHeader.Attribute] {
        var attributes: [ByteString: ByteString] = [:]
        for (key, value) in records where key.hasPrefix(libarchivePrefix) {
            let encoded = ByteString(key.bytes.dropFirst(libarchivePrefix.count))
            guard let name = decodeURL(encoded), !name.isEmpty, let bytes = decodeBase64(value) else {
                throw .badRecord(reason: "an extended attribute is malformed", offset: offset)
            }
            attributes[name] = bytes
        }
        for (key, value) in records where key.hasPrefix(PAXRecords.attributePrefix) {
            let name = ByteString(key.bytes.dropFirst(PAXRecords.attributePrefix.count))
            if !name.isEmpty { attributes[name] = value }
        }
        return attributes.map { TarHeader.Attribute(name: $0, value: $1) }
    }

    private static func decodeURL(_ text: ByteString) -> ByteString? {
        var result: [UInt8] = []
        var rest = text.bytes[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal),
                high | low != 0
            else { return nil }
            result.append(high << 4 | low)
        }
        return ByteString(result)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Base64 with or without padding (RFC 4648, section 4); libarchive writes it without.
    private static func decodeBase64(_ text: ByteString) -> ByteString? {
        let digits = text.bytes.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
        guard text.count - digits.count <= 2, digits.count % 4 != 1 else { return nil }
        var result: [UInt8] = []
        var (bits, count): (UInt32, UInt32) = (0, 0)
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = (bits << 6 | UInt32(value)) & 0xffff
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> count))
        }
        return ByteString(result)
    }
}
