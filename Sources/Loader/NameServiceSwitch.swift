import Bytes

/// A root's /etc/nsswitch.conf: which services are asked for the names of each database, nsswitch.conf(5).
struct NameServiceSwitch {
    private var services: [ByteString: [ByteString]] = [:]

    /// - Parameter text: the file's content; what is not as the manual wants it is passed by, as glibc does.
    init(_ text: [UInt8]) {
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let content = line.prefix { $0 != UInt8(ascii: "#") }
            guard let colon = content.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let words = Self.words(content[..<colon])
            guard words.count == 1 else { continue }
            services[words[0]] = Self.words(Self.withoutActions(content[(colon + 1)...]))
        }
    }

    /// The services for `database`, in order; nil when the file does not tell.
    func services(_ database: ByteString) -> [ByteString]? { services[database] }

    private static func words(_ text: ArraySlice<UInt8>) -> [ByteString] {
        text.split { $0 == UInt8(ascii: " ") || (0x09...0x0d).contains($0) }.map { ByteString($0) }
    }

    /// `[NOTFOUND=return]` between services says what to do next, and names none.
    private static func withoutActions(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var depth = false
        return text.map { byte -> UInt8 in
            if byte == UInt8(ascii: "[") { depth = true }
            let isAction = depth
            if byte == UInt8(ascii: "]") { depth = false }
            return isAction ? UInt8(ascii: " ") : byte
        }[...]
    }
}
