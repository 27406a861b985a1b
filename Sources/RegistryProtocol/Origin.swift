/// Whom one talks to: scheme, host and port (RFC 6454). What is meant for one origin is not for another.
public struct Origin: Hashable, Sendable, CustomStringConvertible {
    public let isSecure: Bool
    /// Lower case; a name, an IPv4 address, or an IPv6 address as it is usually written, without brackets.
    public let host: String
    public let port: UInt16

    public init(isSecure: Bool, host: String, port: UInt16) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
    }

    /// - Parameter whole: the URL, for messages.
    /// - Throws: ``RegistryError/malformedURL(_:reason:)``.
    package init(isSecure: Bool, authority: String, of whole: String) throws(RegistryError) {
        guard !authority.contains("@") else {
            throw .malformedURL(whole, reason: "it has a user name, which may hide the host")
        }
        let (host, port) = try Self.parts(of: authority, whole)
        guard let port else {
            self.init(isSecure: isSecure, host: host, port: isSecure ? 443 : 80)
            return
        }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(port), port > 0 else {
            throw .malformedURL(whole, reason: "its port is no number from 1 to 65535")
        }
        self.init(isSecure: isSecure, host: host, port: port)
    }

    /// Host and port of `authority`: `host`, `host:port`, `[address]` or `[address]:port` (RFC 3986, section 3.2.2).
    private static func parts(
        of authority: String, _ whole: String
    ) throws(RegistryError) -> (host: String, port: Substring?) {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            let text = authority[authority.index(after: authority.startIndex)..<end].lowercased()
            let rest = authority[authority.index(after: end)...]
            guard let address = IPAddress(text), address.bytes.count == 16, rest.isEmpty || rest.hasPrefix(":") else {
                throw .malformedURL(whole, reason: "what it has in brackets is no IPv6 address")
            }
            return (address.description, rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let host = (parts.first ?? "").lowercased()
        guard isHost(host) else {
            throw .malformedURL(whole, reason: "its host is no name and no address (IPv6 goes in brackets)")
        }
        return (host, parts.count == 2 ? parts[1] : nil)
    }

    public var scheme: String { isSecure ? "https" : "http" }
    private var isUsualPort: Bool { port == (isSecure ? 443 : 80) }

    /// `host`, or `host:port` where the port is not that of the scheme.
    public var authority: String { isUsualPort ? urlHost : "\(urlHost):\(port)" }
    /// The host as a URL has it: an IPv6 address in brackets.
    private var urlHost: String { host.contains(":") ? "[\(host)]" : host }
    public var description: String { "\(scheme)://\(authority)" }

    /// Whether the host is this machine, or something that only machines on the same wire can be: what a server elsewhere
    /// has no business to send a client to.
    public var isLocal: Bool {
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        return IPAddress(host)?.isLocal ?? false
    }

    /// Whether the host is this machine and cannot be another.
    package var isLoopback: Bool { host == "localhost" || IPAddress(host)?.isLoopback == true }

    /// Whether `other` is within the same domain: the same host, or names whose last two labels are the same.
    public func sharesDomain(with other: Origin) -> Bool {
        if host == other.host { return true }
        guard IPAddress(host) == nil, IPAddress(other.host) == nil else { return false }
        let (mine, theirs) = (host.split(separator: ".").suffix(2), other.host.split(separator: ".").suffix(2))
        return mine.count == 2 && mine == theirs
    }

    private static func isHost(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let areNames = labels.allSatisfy { label in
            !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { byte in
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (0x30...0x39).contains(byte)
                        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
        }
        guard areNames, let last = labels.last else { return false }
        // inet_aton(3) takes 127.1, 0x7f000001 and 2130706433 for addresses: a host that ends with a number must be one of
        // the plain kind, or rules about addresses would not see it.
        let endsWithNumber =
            last.utf8.first.map { (0x30...0x39).contains($0) } == true
            && (last.utf8.allSatisfy { (0x30...0x39).contains($0) } || last.hasPrefix("0x"))
        return !endsWithNumber || IPAddress(text) != nil
    }
}
