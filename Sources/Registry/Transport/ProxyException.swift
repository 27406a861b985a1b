import RegistryProtocol

/// What is reached without a proxy: an entry of `no_proxy`, as Go's programs read it (golang.org/x/net/http/httpproxy).
enum ProxyException: Hashable, Sendable {
    /// `*`
    case all
    /// `10.0.0.0/8`, `fd00::/8`
    case network(String)
    /// `10.1.2.3`, `[::1]:5000`
    case address(IPAddress, port: UInt16?)
    /// `example.com`, and with a dot or `*.` in front only what is below it; perhaps with a port.
    case domain(String, includesItself: Bool, port: UInt16?)

    /// - Parameter text: without spaces around it.
    init(_ text: String) {
        let text = text.lowercased()
        if text == "*" {
            self = .all
        } else if text.contains("/"), IPAddress("0.0.0.0")?.isWithin(network: text) != nil {
            self = .network(text)
        } else if let address = IPAddress(text) {
            self = .address(address, port: nil)
        } else {
            let (host, port) = Self.parts(text)
            if let address = IPAddress(host) {
                self = .address(address, port: port)
            } else {
                let domain = host.hasPrefix("*.") ? String(host.dropFirst()) : host
                let isBelow = domain.hasPrefix(".")
                self = .domain(isBelow ? domain : "." + domain, includesItself: !isBelow, port: port)
            }
        }
    }

    /// `text` with its port, and without the brackets of an IPv6 address.
    private static func parts(_ text: String) -> (host: String, port: UInt16?) {
        var (host, port) = (text, UInt16?.none)
        if let colon = text.lastIndex(of: ":"), let number = UInt16(text[text.index(after: colon)...]) {
            (host, port) = (String(text[..<colon]), number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host, port)
    }

    func matches(_ origin: Origin) -> Bool {
        func isPort(_ port: UInt16?) -> Bool { port == nil || port == origin.port }
        switch self {
        case .all: return true
        case .network(let text): return IPAddress(origin.host)?.isWithin(network: text) ?? false
        case .address(let address, let port): return IPAddress(origin.host) == address && isPort(port)
        case .domain(let domain, let includesItself, let port):
            guard domain != ".", IPAddress(origin.host) == nil else { return false }
            let isMeant = origin.host.hasSuffix(domain) || includesItself && "." + origin.host == domain
            return isMeant && isPort(port)
        }
    }
}
