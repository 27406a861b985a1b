extension ByteString {
    /// The bytes that ``description`` shows as `text`; nil when `text` is not as it writes them.
    public init?(escaped text: String) {
        guard text.utf8.contains(UInt8(ascii: "\\")) else {
            self.init(text)
            return
        }
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(byte)
            case UInt8(ascii: "x"):
                guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        self.init(bytes)
    }
}

extension ByteString: Codable {
    /// Reads the escaped text; JSON has no byte strings.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = ByteString(escaped: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "malformed escape")
        }
        self = value
    }

    /// Writes ``description``, which keeps every byte.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension TreePath: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(ByteString(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws { try bytes.encode(to: encoder) }
}
