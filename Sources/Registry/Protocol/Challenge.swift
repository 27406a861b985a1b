/// What a server wants of who asks: one challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1).
struct Challenge: Hashable, Sendable {
    /// Lower case: `basic`, `bearer`.
    var scheme: String
    /// By name in lower case. Of a name that comes twice, the first.
    var parameters: [String: String] = [:]

    /// How long a header may be that is looked at.
    static let lengthLimit = 8192

    /// The challenges of `header`, as far as they can be read.
    static func parse(_ header: String) -> [Challenge] {
        guard header.utf8.count <= lengthLimit else { return [] }
        var reader = Reader(rest: Array(header.utf8)[...])
        var challenges: [Challenge] = []
        while true {
            reader.skip { " \t,".utf8.contains($0) }
            guard let word = reader.token() else { return challenges }
            reader.skip { $0 == 0x20 || $0 == 0x09 }
            if reader.take("=") {
                // A parameter of the challenge before; a value that cannot be read ends the reading.
                reader.skip { $0 == 0x20 || $0 == 0x09 }
                guard let value = reader.value(), !challenges.isEmpty else { return challenges }
                let name = word.lowercased()
                let last = challenges.count - 1
                if challenges[last].parameters[name] == nil { challenges[last].parameters[name] = value }
            } else {
                challenges.append(Challenge(scheme: word.lowercased()))
            }
        }
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func skip(while condition: (UInt8) -> Bool) { rest = rest.drop(while: condition) }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func token() -> String? {
            let bytes = rest.prefix { byte in
                (0x21..<0x7f).contains(byte) && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
            }
            rest = rest.dropFirst(bytes.count)
            return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
        }

        /// A token, or a quoted string without its quotes.
        mutating func value() -> String? {
            guard take("\"") else { return token() }
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let next = rest.popFirst() else { return nil }
                    bytes.append(next)
                default: bytes.append(byte)
                }
            }
            return nil
        }
    }
}
