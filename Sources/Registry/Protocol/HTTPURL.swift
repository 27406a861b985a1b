public import RegistryProtocol

/// A URL that is fetched: `http` or `https`, a host, a path, perhaps a query (RFC 3986, RFC 9110 section 4.2).
///
/// A parser of layerfs's own, stricter than most: where two parsers disagree about which host a URL names, credentials go
/// astray. No user information, no zone of an IPv6 address, no host that one resolver takes for a name and another for a number.
public struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
    public let origin: Origin
    /// Begins with a slash; percent-encoded, as it came.
    public let path: String
    /// Without the question mark; nil when there is none.
    public let query: String?

    public init(origin: Origin, path: String, query: String? = nil) {
        self.origin = origin
        self.path = path
        self.query = query
    }

    /// - Throws: ``RegistryError/malformedURL(_:reason:)``.
    public init(parsing text: String) throws(RegistryError) {
        let (isSecure, rest) = try Self.afterScheme(text)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        origin = try Origin(isSecure: isSecure, authority: String(rest[..<end]), of: text)
        (path, query) = try Self.pathAndQuery(rest[end...], of: text)
    }

    /// The URL that `reference`, of a `Location` for example, means in answer to this one (RFC 3986, section 5.2).
    ///
    /// - Throws: ``RegistryError/malformedURL(_:reason:)``.
    public func resolving(_ reference: String) throws(RegistryError) -> HTTPURL {
        let text = Substring(reference)
        guard !text.isEmpty else { throw .malformedURL(reference, reason: "it is empty") }
        if text.hasPrefix("//") { return try HTTPURL(parsing: origin.scheme + ":" + reference) }
        let beforePath = text.prefix { !"/?#".contains($0) }
        if beforePath.contains(":") { return try HTTPURL(parsing: reference) }
        if text.hasPrefix("/") || text.hasPrefix("?") || text.hasPrefix("#") {
            let (path, query) = try Self.pathAndQuery(text, of: reference)
            let keepsPath = !text.hasPrefix("/")
            return HTTPURL(
                origin: origin, path: keepsPath ? self.path : path, query: text.hasPrefix("#") ? self.query : query)
        }
        let directory = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        let (path, query) = try Self.pathAndQuery(directory + text, of: reference)
        return HTTPURL(origin: origin, path: path, query: query)
    }

    /// With further parameters at the end of its query.
    public func appending(_ parameters: [(name: String, value: String)]) -> HTTPURL {
        let added = parameters.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
        guard !added.isEmpty else { return self }
        let old = query ?? ""
        return HTTPURL(origin: origin, path: path, query: old.isEmpty ? added : old + "&" + added)
    }

    /// The names of the query's parameters, decoded.
    public var parameterNames: [String] {
        (query ?? "").split(separator: "&").map { Self.decoded(String($0.prefix { $0 != "=" })) }
    }

    public var description: String { origin.description + path + (query.map { "?" + $0 } ?? "") }

    /// Without the query, which may hold what lets its owner in.
    public var redacted: String { origin.description + path }

    /// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3).
    public static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            if isUnreserved(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.utf8.count == 1 ? "0" : "") + digits
        }.joined()
    }

    /// With what was percent-encoded, or written with a plus sign, as it was before.
    static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func afterScheme(_ text: String) throws(RegistryError) -> (isSecure: Bool, rest: Substring) {
        for (scheme, isSecure) in [("https://", true), ("http://", false)]
        where text.utf8.count >= scheme.utf8.count && text.prefix(scheme.count).lowercased() == scheme {
            return (isSecure, text.dropFirst(scheme.count))
        }
        throw .malformedURL(text, reason: "it begins with neither https:// nor http://")
    }

    private static func pathAndQuery(
        _ text: Substring, of whole: String
    ) throws(RegistryError) -> (path: String, query: String?) {
        // A fragment is for whoever reads the document, not for the server.
        let sent = text.prefix { $0 != "#" }
        let path = sent.prefix { $0 != "?" }
        let query = path.endIndex == sent.endIndex ? nil : sent[sent.index(after: path.endIndex)...]
        guard whole.utf8.count <= 8192 else { throw .malformedURL(whole, reason: "it is longer than 8192 bytes") }
        guard isPath(path), query.map({ isPath($0, also: "?") }) ?? true else {
            throw .malformedURL(whole, reason: "it has a character that a URL cannot have")
        }
        return (path.isEmpty ? "/" : String(path), query.map(String.init))
    }

    private static func isPath(_ text: Substring, also: String = "") -> Bool {
        let allowed = Array("/:@!$&'()*+,;=%".utf8) + Array(also.utf8)
        return text.utf8.allSatisfy { isUnreserved($0) || allowed.contains($0) }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
