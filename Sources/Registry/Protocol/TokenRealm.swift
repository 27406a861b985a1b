import OCI
import RegistryProtocol

/// Where the tokens of a registry come from (distribution, docs/spec/auth/token.md).
struct TokenRealm: Hashable, Sendable {
    let url: HTTPURL
    let service: String?

    /// The realm that `challenge`, sent by `registry`, names.
    ///
    /// - Throws: ``RegistryError/malformedResponse(what:reason:)``, ``RegistryError/refusedRealm(host:realm:reason:)``.
    init(_ challenge: Challenge, of registry: Origin) throws(RegistryError) {
        guard let realm = challenge.parameters["realm"] else {
            throw .malformedResponse(
                what: registry.description, reason: "it wants a token, but does not say from where")
        }
        url = try HTTPURL(parsing: realm)
        service = challenge.parameters["service"]
        if registry.isSecure, !url.origin.isSecure {
            throw .refusedRealm(
                host: registry.authority, realm: url.redacted,
                reason: "it would be in the clear, while the registry is not")
        }
        // It is layerfs that says what a token is for.
        let own = ["scope", "service", "account", "client_id", "offline_token"]
        if let parameter = url.parameterNames.first(where: own.contains) {
            throw .refusedRealm(
                host: registry.authority, realm: url.redacted,
                reason: "its query sets '\(parameter)', which is ours to say")
        }
        if url.origin.isLocal, !registry.isLocal {
            throw .refusedRealm(host: registry.authority, realm: url.redacted, reason: "it is on this machine")
        }
    }

    /// Whether credentials for `registry` may be sent here.
    ///
    /// Registries and their token servers often differ in host. The registry's word is enough only where TLS vouches for the
    /// registry, and within its domain; otherwise a person has to say so.
    ///
    /// - Parameters:
    ///   - isVerified: whether TLS certificates are verified.
    ///   - trusted: hosts that a person named.
    /// - Throws: ``RegistryError/refusedRealm(host:realm:reason:)``.
    func checkCredentials(for registry: Origin, isVerified: Bool, trusted: Set<String>) throws(RegistryError) {
        if url.origin.host == registry.host || trusted.contains(url.origin.host) { return }
        let realm = url.origin.description
        guard registry.isSecure, isVerified else {
            throw .refusedRealm(
                host: registry.authority, realm: realm, reason: "another host, on the word of an unverified connection")
        }
        guard url.origin.sharesDomain(with: registry) else {
            throw .refusedRealm(host: registry.authority, realm: realm, reason: "a host of another domain")
        }
    }

    /// The request for a token by GET.
    func tokenURL(scopes: [String], account: String?) -> HTTPURL {
        var parameters: [(name: String, value: String)] = []
        if let service { parameters.append(("service", service)) }
        parameters += scopes.map { ("scope", $0) }
        if let account { parameters.append(("account", account)) }
        return url.appending(parameters)
    }

    /// The form that a refresh token is sent with (distribution, docs/spec/auth/oauth.md).
    func refreshForm(scopes: [String], refreshToken: String) -> [UInt8] {
        let fields = [
            ("grant_type", "refresh_token"), ("service", service ?? ""), ("client_id", "layerfs"),
            ("scope", scopes.joined(separator: " ")), ("refresh_token", refreshToken),
        ]
        return Array(fields.map { "\($0)=\(HTTPURL.encoded($1))" }.joined(separator: "&").utf8)
    }
}

/// A token, and for how long it is good.
struct Token: Hashable, Sendable {
    var text: String
    var lifetime: Duration

    /// The reply of a token server.
    ///
    /// - Throws: ``RegistryError/malformedResponse(what:reason:)``.
    init(parsing bytes: [UInt8], from realm: String) throws(RegistryError) {
        let malformed = { (reason: String) in RegistryError.malformedResponse(what: realm, reason: reason) }
        guard let document = try? JSONValue(parsing: bytes) else { throw malformed("it is no JSON") }
        guard let text = document["token"]?.string ?? document["access_token"]?.string, !text.isEmpty else {
            throw malformed("it has no token")
        }
        // It becomes part of a header.
        guard text.utf8.allSatisfy({ (0x21..<0x7f).contains($0) }) else {
            throw malformed("the token has characters that a header cannot have")
        }
        self.text = text
        // 60 seconds unless it says otherwise; some leave for the way.
        let seconds = document["expires_in"]?.integer ?? 60
        lifetime = .seconds(max(5, min(seconds, 3600)) - 5)
    }
}
