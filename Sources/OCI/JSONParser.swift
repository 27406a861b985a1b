extension JSONValue {
    /// How large a document may be: the size that every registry takes (distribution-spec, Pushing Manifests).
    public static let sizeLimit = 4 << 20
    /// How deep arrays and objects may nest.
    public static let depthLimit = 32

    /// The value that `bytes`, all of them, are the text of.
    ///
    /// - Throws: ``OCIError/documentTooLarge(size:)`` and ``OCIError/malformedJSON(offset:reason:)``; the latter also
    ///   for what RFC 8259 leaves open: a key twice, a byte order mark, half a surrogate pair, too deep a nesting.
    public init(parsing bytes: [UInt8]) throws(OCIError) {
        guard bytes.count <= Self.sizeLimit else { throw .documentTooLarge(size: bytes.count) }
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

/// Recursive descent, no deeper than ``JSONValue/depthLimit``.
private struct JSONParser {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(OCIError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw malformed("something follows the document") }
        return value
    }

    private func malformed(_ reason: String) -> OCIError { .malformedJSON(offset: position, reason: reason) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    private mutating func consume(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(OCIError) {
        guard consume(character) else { throw malformed("expected '\(character)'") }
    }

    private mutating func value(depth: Int) throws(OCIError) -> JSONValue {
        guard depth <= JSONValue.depthLimit else { throw malformed("nested deeper than \(JSONValue.depthLimit)") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
            return try number()
        default: throw malformed("expected a value")
        }
    }

    private mutating func literal(_ text: String, _ value: JSONValue) throws(OCIError) -> JSONValue {
        guard bytes[position...].starts(with: text.utf8) else { throw malformed("expected a value") }
        position += text.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(OCIError) -> JSONValue {
        try expect("{")
        var members: [JSONValue.Member] = []
        // By bytes: String's equality would take differently normalized keys for one.
        var keys: Set<[UInt8]> = []
        skipSpace()
        if consume("}") { return .object([]) }
        repeat {
            skipSpace()
            let key = try string()
            guard keys.insert(Array(key.utf8)).inserted else { throw malformed("the key '\(key)' occurs twice") }
            skipSpace()
            try expect(":")
            members.append(JSONValue.Member(key, try value(depth: depth + 1)))
            skipSpace()
        } while consume(",")
        try expect("}")
        return .object(members)
    }

    private mutating func array(depth: Int) throws(OCIError) -> JSONValue {
        try expect("[")
        var values: [JSONValue] = []
        skipSpace()
        if consume("]") { return .array([]) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpace()
        } while consume(",")
        try expect("]")
        return .array(values)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func number() throws(OCIError) -> JSONValue {
        let start = position
        _ = consume("-")
        if !consume("0") { guard digits() > 0 else { throw malformed("expected a digit") } }
        var isInteger = true
        if consume(".") {
            isInteger = false
            guard digits() > 0 else { throw malformed("expected a digit") }
        }
        if consume("e") || consume("E") {
            isInteger = false
            _ = consume("+") || consume("-")
            guard digits() > 0 else { throw malformed("expected a digit") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        return .number(text)
    }

    private mutating func string() throws(OCIError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw malformed("not UTF-8") }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw malformed("a control character in a string")
            default: text.append(byte)
            }
        }
        throw malformed("a string without end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(OCIError) {
        guard let byte = next else { throw malformed("a string without end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if code & 0xfc00 == 0xd800 {
                // The first half of a character beyond U+FFFF: the second has to follow.
                guard consume("\\"), consume("u") else { throw malformed("half a surrogate pair") }
                let low = try hexadecimal()
                guard low & 0xfc00 == 0xdc00 else { throw malformed("half a surrogate pair") }
                code = 0x10000 + (code & 0x3ff) << 10 + low & 0x3ff
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair") }
            text += UTF8.encode(scalar).map { Array($0) } ?? []
        default: throw malformed("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(OCIError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw malformed("a string without end") }
        var code: UInt32 = 0
        for byte in bytes[position..<(position + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
        }
        position += 4
        return code
    }
}
