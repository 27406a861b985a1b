public import RegistryProtocol

/// The proxies of the environment: `https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`, in capitals as well; as Go's programs
/// read them (golang.org/x/net/http/httpproxy).
public struct ProxySettings: Hashable, Sendable {
    /// How a proxy is spoken to.
    enum Kind: Hashable, Sendable {
        /// By CONNECT (RFC 9110, section 9.3.6).
        case connect
        /// SOCKS 5 (RFC 1928), which looks names up itself: `socks5h`, and as in other programs of the field `socks5`.
        case socks
    }

    /// A proxy that is connected through.
    struct Server: Hashable, Sendable {
        var kind = Kind.connect
        var host: String
        var port: Int
        /// What the proxy itself wants; nil where it wants nothing.
        var credential: Credential?
    }

    private var secure: Server?
    private var plain: Server?
    private var exceptions: [ProxyException] = []

    /// None.
    public init() {}

    /// - Parameter variable: the environment; nil for what is unset or empty.
    /// - Throws: ``RegistryError/malformedProxy(variable:reason:)``.
    public init(variable: (String) -> String?) throws(RegistryError) {
        secure = try Self.server(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"], variable)
        // HTTP_PROXY in capitals is what a CGI script gets from a header of a stranger (httpoxy).
        plain = try Self.server(["http_proxy", "all_proxy", "ALL_PROXY"], variable)
        exceptions = (variable("no_proxy") ?? variable("NO_PROXY") ?? "").split(whereSeparator: { ", ".contains($0) })
            .map { ProxyException(String($0)) }
    }

    /// The proxy on the way to `origin`; nil for none. Never for this machine.
    func server(for origin: Origin) -> Server? {
        if origin.isLocal || exceptions.contains(where: { $0.matches(origin) }) { return nil }
        return origin.isSecure ? secure : plain
    }

    private static func server(
        _ names: [String], _ variable: (String) -> String?
    ) throws(RegistryError) -> Server? {
        for name in names {
            if let text = variable(name) { return try server(text, of: name) }
        }
        return nil
    }

    private static func server(_ text: String, of name: String) throws(RegistryError) -> Server {
        var rest = Substring(text)
        let scheme = rest.prefix { $0 != ":" }
        var kind = Kind.connect
        if rest[scheme.endIndex...].hasPrefix("://") {
            switch scheme.lowercased() {
            case "http": break
            case "socks5", "socks5h": kind = .socks
            default:
                throw .malformedProxy(variable: name, reason: "only http://, socks5:// and socks5h:// are supported")
            }
            rest = rest[scheme.endIndex...].dropFirst(3)
        }
        rest = rest.prefix { $0 != "/" }
        var credential: Credential?
        if let at = rest.lastIndex(of: "@") {
            let pair = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let (user, password) = (pair.first.map(String.init) ?? "", pair.count == 2 ? String(pair[1]) : "")
            credential = .password(user: HTTPURL.decoded(user), HTTPURL.decoded(password))
            rest = rest[rest.index(after: at)...]
        }
        guard let origin = try? Origin(isSecure: false, authority: String(rest), of: name) else {
            throw .malformedProxy(variable: name, reason: "it is not written as http://HOST:PORT or socks5://HOST:PORT")
        }
        guard kind == .connect || credential == nil else {
            throw .malformedProxy(variable: name, reason: "a user and password for a SOCKS proxy are not supported")
        }
        // Behind the brackets of an IPv6 address, if there are any.
        let hasPort = rest[(rest.lastIndex(of: "]") ?? rest.startIndex)...].contains(":")
        let port = kind == .socks && !hasPort ? 1080 : Int(origin.port)
        return Server(kind: kind, host: origin.host, port: port, credential: credential)
    }
}
