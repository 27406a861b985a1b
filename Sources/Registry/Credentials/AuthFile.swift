import OCI
import RegistryProtocol

/// A file of credentials: Docker's `config.json` or containers-auth.json(5).
struct AuthFile: Sendable {
    private var document: JSONValue

    /// An empty one.
    init() { document = .object([]) }

    /// - Throws: `OCIError` for what is no JSON object.
    init(parsing bytes: [UInt8]) throws(OCIError) {
        document = try JSONValue(parsing: bytes)
        guard case .object = document else { throw .wrongType(field: "", expected: "an object") }
    }

    var bytes: [UInt8] { document.canonicalBytes + [UInt8(ascii: "\n")] }

    /// Where the credentials for a registry are.
    enum Entry: Hashable {
        case credential(Credential)
        /// With the credential helper of this suffix.
        case helper(String)
    }

    /// What the file says of `host`, the most specific first: helpers named for the host, entries for the repository, its
    /// namespaces and the host, then the helper for all hosts.
    func entry(host: String, repository: String?) -> Entry? {
        if let suffix = helper(named: host) { return .helper(suffix) }
        for key in Self.keys(host: host, repository: repository) {
            if let credential = credential(of: key) { return .credential(credential) }
        }
        if let suffix = document["credsStore"]?.string, !suffix.isEmpty { return .helper(suffix) }
        return nil
    }

    /// The helper that new credentials for `host` belong to; nil when that is this file.
    func writingHelper(host: String) -> String? {
        helper(named: host) ?? document["credsStore"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// With `credential` for `host`; without any where it is nil.
    func setting(_ credential: Credential?, host: String) -> AuthFile {
        if credential == nil, document["auths"] == nil { return self }
        let key = Self.serverKey(host)
        var auths = document["auths"] ?? .object([])
        if credential == nil {
            for name in auths.members.map(\.key) where Self.normalized(name) == Self.normalized(key) {
                auths = auths.setting(name, to: nil)
            }
        }
        let value: JSONValue? =
            switch credential {
            case nil: nil
            case .password(let user, let password)?:
                .object([.init("auth", .string(Base64.encode(Array("\(user):\(password)".utf8))))])
            case .identityToken(let token)?: .object([.init("identitytoken", .string(token))])
            }
        var file = self
        if let value { auths = auths.setting(key, to: value) }
        file.document = document.setting("auths", to: auths)
        return file
    }

    /// Whether there is an entry for `host` itself.
    func contains(host: String) -> Bool { entry(host: host, repository: nil) != nil }

    /// The key under which Docker files its own registry, and everybody else by the host.
    static func serverKey(_ host: String) -> String {
        RegistryPlace.isDockerHub(host) ? "https://index.docker.io/v1/" : host
    }

    private func helper(named host: String) -> String? {
        for key in [host, Self.serverKey(host)] {
            if let suffix = document["credHelpers"]?[key]?.string, !suffix.isEmpty { return suffix }
        }
        return nil
    }

    /// `host/a/b`, `host/a`, `host`.
    private static func keys(host: String, repository: String?) -> [String] {
        var parts = repository?.split(separator: "/").map(String.init) ?? []
        var keys: [String] = []
        while !parts.isEmpty {
            keys.append(([host] + parts).joined(separator: "/"))
            parts.removeLast()
        }
        return keys + [host]
    }

    private func credential(of key: String) -> Credential? {
        let auths = document["auths"]?.members ?? []
        let isHost = !key.contains("/")
        let exact = auths.filter { $0.key == key }
        let legacy = auths.filter { isHost && Self.normalized($0.key) == Self.normalized(key) }
        for entry in exact + legacy {
            if let token = entry.value["identitytoken"]?.string, !token.isEmpty { return .identityToken(token) }
            if let text = entry.value["auth"]?.string, let bytes = Base64.decode(text),
                let pair = String(validating: bytes, as: UTF8.self), let colon = pair.firstIndex(of: ":")
            {
                // Docker ends some passwords with NULs.
                var password = pair[pair.index(after: colon)...]
                while password.hasSuffix("\0") { password.removeLast() }
                return .password(user: String(pair[..<colon]), String(password))
            }
        }
        return nil
    }

    /// The host that a key of Docker's older forms means: `https://host/v1/`. Keys of namespaces stay what they are.
    private static func normalized(_ key: String) -> String {
        var text = Substring(key)
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
            text = text.dropFirst(scheme.count).prefix { $0 != "/" }
        }
        return text == "index.docker.io" ? "docker.io" : String(text)
    }
}
