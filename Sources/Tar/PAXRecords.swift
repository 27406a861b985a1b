import Bytes

/// The records of a PAX extended header (pax(1p), pax Extended Header): `LENGTH KEY=VALUE\n`, LENGTH counting itself.
enum PAXRecords {
    static let attributePrefix: ByteString = "SCHILY.xattr."

    /// One record as bytes.
    static func encode(_ key: ByteString, _ value: ByteString) -> [UInt8] {
        let body = 1 + key.count + 1 + value.count + 1
        // Adding the digits of the length can itself add a digit, once.
        var length = body + String(body).utf8.count
        length = body + String(length).utf8.count
        return Array("\(length) ".utf8) + key.bytes + [UInt8(ascii: "=")] + value.bytes + [UInt8(ascii: "\n")]
    }

    /// Calls `body` with each record of `bytes`, in order.
    ///
    /// - Throws: what `body` throws, and ``TarError/badRecord(reason:offset:)`` for anything that is not a record:
    ///   readers that skip such bytes see other members than readers that do not.
    static func forEach(
        in bytes: [UInt8], offset: UInt64, _ body: (ByteString, ByteString) throws(TarError) -> Void
    ) throws(TarError) {
        var position = 0
        while position < bytes.count {
            var length = 0
            var index = position
            while index < bytes.count, index < position + 7, let digit = decimal(bytes[index]) {
                length = length * 10 + digit
                index += 1
            }
            guard index > position, index < bytes.count, bytes[index] == UInt8(ascii: " ") else {
                throw .badRecord(reason: "no length", offset: offset)
            }
            guard length <= bytes.count - position, length >= index - position + 2 else {
                throw .badRecord(reason: "wrong length", offset: offset)
            }
            let end = position + length - 1
            guard bytes[end] == UInt8(ascii: "\n") else { throw .badRecord(reason: "no newline", offset: offset) }
            guard let equals = bytes[(index + 1)..<end].firstIndex(of: UInt8(ascii: "=")) else {
                throw .badRecord(reason: "no equals sign", offset: offset)
            }
            let key = ByteString(bytes[(index + 1)..<equals])
            guard !key.isEmpty, !key.contains(0) else {
                throw .badRecord(reason: "empty key or NUL in a key", offset: offset)
            }
            try body(key, ByteString(bytes[(equals + 1)..<end]))
            position += length
        }
    }

    /// A non-negative decimal number, nothing else.
    static func natural(_ text: ByteString) -> UInt64? {
        guard !text.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in text.bytes {
            guard let digit = decimal(byte) else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// A time as decimal seconds with an optional sign and fraction, floored to nanoseconds.
    static func time(_ text: ByteString) -> (seconds: Int64, nanoseconds: UInt32)? {
        let negative = text.hasPrefix("-")
        let parts = (negative ? ByteString(text.bytes.dropFirst()) : text).split(on: UInt8(ascii: "."))
        guard parts.count <= 2, let whole = natural(parts[0]), let seconds = Int64(exactly: whole) else { return nil }
        var nanoseconds: UInt32 = 0
        if parts.count == 2 {
            let digits = parts[1].bytes.map { decimal($0) }
            guard !digits.contains(nil) else { return nil }
            for place in 0..<9 { nanoseconds = nanoseconds * 10 + UInt32(place < digits.count ? digits[place]! : 0) }
        }
        guard negative else { return (seconds, nanoseconds) }
        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds)
    }

    private static func decimal(_ byte: UInt8) -> Int? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
    }
}
