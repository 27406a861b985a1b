/// The proxies of the environment: `https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`, in capitals as well.
public struct ProxySettings: Hashable, Sendable {
    /// A proxy that is connected through (RFC 9110, section 9.3.6, CONNECT).
    struct Server: Hashable, Sendable {
        var host: String
        var port: Int
        /// What the proxy itself wants; nil where it wants nothing.
        var credential: Credential?
    }

    private var secure: Server?
    private var plain: Server?
    private var exceptions: [String] = []

    /// None.
    public init() {}

    /// - Parameter variable: the environment; nil for what is unset or empty.
    /// - Throws: ``RegistryError/malformedProxy(variable:reason:)``.
    public init(variable: (String) -> String?) throws(RegistryError) {
        secure = try Self.server(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"], variable)
        // HTTP_PROXY in capitals is what a CGI script gets from a header of a stranger (httpoxy).
        plain = try Self.server(["http_proxy", "all_proxy", "ALL_PROXY"], variable)
        exceptions = (variable("no_proxy") ?? variable("NO_PROXY") ?? "").split(whereSeparator: { ", ".contains($0) })
            .map { $0.lowercased() }
    }

    /// The proxy on the way to `origin`; nil for none. Never for this machine.
    func server(for origin: Origin) -> Server? {
        let host = origin.host
        if origin.isLocal { return nil }
        for exception in exceptions {
            if exception == "*" || exception == host || exception == origin.authority { return nil }
            let domain = exception.hasPrefix(".") ? exception : "." + exception
            if host.hasSuffix(domain) { return nil }
        }
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
        if rest[scheme.endIndex...].hasPrefix("://") {
            guard scheme.lowercased() == "http" else {
                throw .malformedProxy(variable: name, reason: "only http:// proxies are supported")
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
            throw .malformedProxy(variable: name, reason: "it is not written as http://HOST:PORT")
        }
        return Server(host: origin.host, port: Int(origin.port), credential: credential)
    }
}
