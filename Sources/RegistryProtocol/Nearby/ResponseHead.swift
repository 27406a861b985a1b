/// The head of an answer of HTTP/1.1 as far as ``NearbyRegistry`` goes along with it (RFC 9112, sections 4 and 5): a final status, and a
/// body whose length is told. Whatever else HTTP allows is left to those who know all of it.
struct ResponseHead: Hashable, Sendable {
    let status: Int
    /// In bytes; 0 where the answer has none.
    let contentLength: Int
    /// Whether another request can follow on the connection.
    let staysOpen: Bool
    private let fields: [Field]

    private struct Field: Hashable {
        var name: String
        var value: String
    }

    /// - Parameter bytes: up to the empty line, which is left out.
    init?(_ bytes: some Collection<UInt8>) {
        let lines = Self.lines(Array(bytes))
        // `HTTP/1.1 200 OK`
        guard let first = lines.first, first.starts(with: Array("HTTP/1.".utf8)), first.count >= 12,
            first[7] == UInt8(ascii: "0") || first[7] == UInt8(ascii: "1"), first[8] == 0x20,
            first.count == 12 || first[12] == 0x20, let status = Self.number(first[9..<12]), status >= 200
        else { return nil }
        self.status = status
        var fields: [Field] = []
        for line in lines.dropFirst() {
            guard let field = Self.field(line) else { return nil }
            fields.append(field)
        }
        self.fields = fields
        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
        // Two lengths, or a length and a coding, are how one answer is made to look like two.
        guard values("transfer-encoding").isEmpty, values("content-encoding").isEmpty else { return nil }
        let lengths = values("content-length")
        guard lengths.count <= 1 else { return nil }
        if let text = lengths.first {
            guard let length = Self.number(Array(text.utf8)[...]) else { return nil }
            contentLength = length
        } else {
            // Until the connection ends.
            guard status == 204 || status == 304 else { return nil }
            contentLength = 0
        }
        staysOpen = first[7] == UInt8(ascii: "1") && values("connection").isEmpty
    }

    /// The value of the first field with this name, in lower case.
    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// What is between the ends of lines; a lone CR or LF is none, and no part of a field either.
    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        var position = 0
        while position + 1 < bytes.count {
            if bytes[position] == 0x0D, bytes[position + 1] == 0x0A {
                lines.append(bytes[start..<position])
                position += 2
                start = position
            } else {
                position += 1
            }
        }
        lines.append(bytes[start...])
        return lines.map { Array($0)[...] }
    }

    /// `Name: value`; nil for what has no name, continues the line before, or has bytes that a field cannot have.
    private static func field(_ line: ArraySlice<UInt8>) -> Field? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return nil }
        let name = line[..<colon]
        guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let value = line[(colon + 1)...].drop(while: isBlank)
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return nil }
        let end = value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex
        guard let text = String(validating: value[..<end], as: UTF8.self) else { return nil }
        return Field(name: String(decoding: name, as: UTF8.self).lowercased(), value: text)
    }

    /// A number of digits and nothing else, of at most 18.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...18).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
