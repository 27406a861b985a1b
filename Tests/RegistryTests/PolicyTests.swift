import OCI
import RegistryProtocol
import TestSupport
import Testing

@testable import Registry

/// What may be sent where.
struct PolicyTests {
    private static func realm(_ parameters: [String: String], of registry: String) throws -> TokenRealm {
        try TokenRealm(
            Challenge(scheme: "bearer", parameters: parameters), of: HTTPURL(parsing: registry).origin)
    }

    @Test(
        arguments: [
            (nil, "https://r.example"), ("http://auth.example/t", "https://r.example"),
            ("https://auth.example/t?scope=repository:other:push", "https://r.example"),
            ("https://auth.example/t?service=x", "https://r.example"),
            ("https://auth.example/t?%73cope=x", "https://r.example"),
            ("https://user:pw@auth.example/t", "https://r.example"), ("ftp://auth.example/", "https://r.example"),
            ("https://127.0.0.1/t", "https://r.example"), ("http://169.254.169.254/latest", "http://r.example"),
        ] as [(String?, String)])
    func realmsThatAreNeverAsked(realm: String?, registry: String) {
        #expect(throws: RegistryError.self) { try Self.realm(realm.map { ["realm": $0] } ?? [:], of: registry) }
    }

    @Test(arguments: [
        ("https://registry-1.docker.io", "https://auth.docker.io/token", true, true),
        ("https://r.example", "https://r.example/token", true, true),
        ("https://r.example:5000", "https://r.example:5001/token", false, true),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", false, true),
        ("https://r.example", "https://auth.other/token", true, false),
        ("https://r.company.example", "https://auth.company.example/token", false, false),
        ("http://r.company.example", "https://auth.company.example/token", true, false),
        ("http://127.0.0.1:5000", "http://evil.example/token", false, false),
        ("http://127.0.0.1:5000", "http://localhost:5001/token", false, false),
    ])
    func credentialsForRealms(registry: String, realm: String, isVerified: Bool, isAllowed: Bool) throws {
        let origin = try HTTPURL(parsing: registry).origin
        let parsed = try Self.realm(["realm": realm], of: registry)
        let check = { (trusted: Set<String>) in
            try parsed.checkCredentials(for: origin, isVerified: isVerified, trusted: trusted)
        }
        if isAllowed { try check([]) } else { #expect(throws: RegistryError.self) { try check([]) } }
        try check([parsed.url.origin.host])
    }

    @Test func tokenRequestsSayWhatTheTokenIsFor() throws {
        let realm = try Self.realm(
            ["realm": "https://a.example/t?x=1", "service": "s&x", "scope": "repository:other:push"],
            of: "https://r.example")
        let url = realm.tokenURL(scopes: ["repository:a/b:pull", "repository:c:pull"], account: "me")
        #expect(
            url.description
                == "https://a.example/t?x=1&service=s%26x&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3Apull&account=me"
        )
    }

    @Test(arguments: [
        (#"{"token":"a.b","expires_in":300}"#, "a.b", 295), (#"{"access_token":"x"}"#, "x", 55),
        (#"{"token":"t","access_token":"x","expires_in":-5}"#, "t", 0),
        (#"{"token":"t","expires_in":99999999}"#, "t", 3595),
    ])
    func tokens(json: String, text: String, seconds: Int64) throws {
        let token = try Token(parsing: Array(json.utf8), from: "realm")
        #expect(token.text == text && token.lifetime == .seconds(seconds))
    }

    @Test(arguments: [
        "", "{}", #"{"token":""}"#, #"{"token":7}"#, "{\"token\":\"a\\r\\nX: y\"}", #"{"token":"é"}"#, "[]",
    ])
    func noTokens(_ json: String) {
        #expect(throws: RegistryError.self) { try Token(parsing: Array(json.utf8), from: "realm") }
    }

    @Test(arguments: [
        ("https://r.example/v2/", "https://cdn.other/blob", 0, true),
        ("http://r.example/", "http://cdn.other/", 4, true),
        ("https://r.example/", "/elsewhere", 0, true), ("http://127.0.0.1:5000/", "http://127.0.0.1:6000/", 0, true),
        ("https://r.example/", "http://r.example/", 0, false), ("https://r.example/", "https://cdn.other/", 5, false),
        ("https://r.example/", "https://127.0.0.1/", 0, false),
        ("http://r.example/", "http://169.254.169.254/", 0, false),
        ("https://r.example/", "https://localhost:8080/", 0, false), ("https://r.example/", "", 0, false),
        ("https://r.example/", "file:///etc/passwd", 0, false),
    ])
    func redirections(from: String, location: String, hops: Int, isFollowed: Bool) throws {
        let url = try HTTPURL(parsing: from)
        let follow = { try RedirectRule.target(of: location, from: url, registry: url.origin, hops: hops) }
        if isFollowed { _ = try follow() } else { #expect(throws: RegistryError.self) { _ = try follow() } }
    }

    @Test(
        arguments: [
            ("r.example", [.dns("r.example")], true), ("r.example", [.dns("R.Example")], true),
            ("a.r.example", [.dns("*.r.example")], true), ("r.example", [.dns("x"), .dns("r.example")], true),
            ("127.0.0.1", [.address([127, 0, 0, 1])], true),
            // NIOSSL alone takes an address for a name.
            ("localhost", [.address([127, 0, 0, 1])], false), ("127.0.0.1", [.dns("127.0.0.1")], false),
            ("127.0.0.1", [.address([127, 0, 0, 2])], false), ("a.b.r.example", [.dns("*.r.example")], false),
            ("r.example", [.dns("*.example")], false), ("r.example", [.dns("*")], false),
            ("ra.example", [.dns("r*.example")], false),
            ("r.example", [.dns("r.example.")], false), ("r.example", [], false),
            ("r.example.org", [.dns("r.example")], false),
        ] as [(String, [PeerIdentity.Name], Bool)])
    func certificates(host: String, names: [PeerIdentity.Name], isTheHosts: Bool) {
        #expect(PeerIdentity(host: host).isAmong(names) == isTheHosts)
    }

    @Test func aRedirectionThatLeadsAwayFromHTTPSLater() throws {
        let registry = try HTTPURL(parsing: "http://r.example/").origin
        let cdn = try HTTPURL(parsing: "https://cdn.example/x")
        #expect(throws: RegistryError.self) {
            try RedirectRule.target(of: "http://r.example/", from: cdn, registry: registry, hops: 1)
        }
    }

    @Test(arguments: [
        ("docker://localhost:5000/a/b:1", "localhost:5000", "a/b", "1", "https://localhost:5000"),
        ("docker://host/a:1", "docker.io", "host/a", "1", "https://registry-1.docker.io"),
        ("docker://bash", "docker.io", "library/bash", "latest", "https://registry-1.docker.io"),
        ("docker://owner/bash:5", "docker.io", "owner/bash", "5", "https://registry-1.docker.io"),
        (
            "docker://ghcr.io/o/i@sha256:" + String(repeating: "a", count: 64), "ghcr.io", "o/i",
            "sha256:" + String(repeating: "a", count: 64), "https://ghcr.io"
        ),
        ("docker://[::1]:5000/repo:tag", "[::1]:5000", "repo", "tag", "https://[::1]:5000"),
        ("docker://[FD00::0:1]/a/b", "[FD00::0:1]", "a/b", "latest", "https://[fd00::1]"),
    ])
    func places(text: String, host: String, repository: String, name: String, origin: String) throws {
        let place = try RegistryPlace(parsing: text)
        #expect(place.host == host && place.repository == repository && place.manifestName == name)
        #expect(try place.origin(isSecure: true).description == origin)
    }

    @Test(arguments: [
        "", "host/a", "docker:host/a", "docker://", "docker://host:5000/", "docker://Host.example/UPPER",
        "docker://h.x/a:",
        "docker://h.x/../a", "docker://h.x/a b", "docker://u@h.x/a", "docker://h.x:99999/a:1\n",
        "docker://[::1/a", "docker://[::1]x/a", "docker://[1::2::3]/a", "docker://[::1]:99999/a", "docker://[::1]",
        "docker://[127.0.0.1]/a", "docker://::1/a",
    ])
    func noPlaces(_ text: String) {
        #expect(throws: RegistryError.self) { try RegistryPlace(parsing: text).origin(isSecure: true) }
    }
}
