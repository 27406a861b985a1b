import OCI
import RegistryProtocol
import TestSupport
import Testing

@testable import Registry

/// Which way leads to a registry: proxies, what is reached without one, and addresses of either family.
struct ProxyTests {
    @Test(
        arguments: [
            (["https_proxy": "http://proxy:3128"], "https://r.example", "proxy:3128"),
            (["HTTPS_PROXY": "proxy:3128"], "https://r.example", "proxy:3128"),
            (["https_proxy": "http://p:1"], "http://r.example", nil),
            (["http_proxy": "http://p:1/"], "http://r.example", "p:1"),
            (["HTTP_PROXY": "http://p:1"], "http://r.example", nil),
            (["all_proxy": "http://p"], "http://r.example", "p:80"),
            (["https_proxy": "http://p:1"], "https://127.0.0.1:5000", nil),
            (["https_proxy": "http://p:1"], "https://[::1]:5000", nil),
            (["https_proxy": "http://p:1"], "https://localhost", nil),
            (["https_proxy": "http://[fd00::1]:3128"], "https://r.example", "fd00::1:3128"),
            (["all_proxy": "socks5://p"], "https://r.example", "socks p:1080"),
            (["ALL_PROXY": "socks5h://p:9050"], "http://r.example", "socks p:9050"),
            (["https_proxy": "SOCKS5://[fd00::1]"], "https://r.example", "socks fd00::1:1080"),
        ] as [([String: String], String, String?)])
    func proxies(variables: [String: String], url: String, expected: String?) throws {
        let server = try ProxySettings { variables[$0] }.server(for: HTTPURL(parsing: url).origin)
        #expect(server.map { "\($0.kind == .socks ? "socks " : "")\($0.host):\($0.port)" } == expected)
    }

    @Test(arguments: [
        ("r.example", "https://r.example", true), ("r.example", "https://a.r.example", true),
        ("x, .example", "https://r.example", true), (".r.example", "https://r.example", false),
        ("*.r.example", "https://r.example", false), ("*.r.example", "https://a.r.example", true),
        ("R.Example", "https://r.example", true), ("*", "https://r.example", true),
        ("ample", "https://r.example", false),
        ("r.example:443", "https://r.example", true), ("r.example:5000", "https://r.example", false),
        ("example:5000", "https://r.example:5000", true), ("10.0.0.0/8", "https://10.1.2.3", true),
        ("10.0.0.0/8", "https://11.1.2.3:5000", false), ("10.128.0.0/9", "https://10.127.0.1", false),
        ("0.0.0.0/0", "https://192.0.2.1", true), ("10.0.0.0/8", "https://r.example", false),
        ("192.0.2.1", "https://192.0.2.1:5000", true), ("192.0.2.1:5000", "https://192.0.2.1", false),
        ("2.1", "https://192.0.2.1", false), ("fd00::/8", "https://[fdff::1]", true),
        ("fd00::/8", "https://[fe00::1]", false), ("fd00::1", "https://[fd00::1]:5000", true),
        ("[fd00::1]:5000", "https://[fd00:0::1]:5000", true), ("[fd00::1]", "https://[fd00::2]", false),
        ("::/0", "https://192.0.2.1", false), ("10.0.0.0/33", "https://10.0.0.1", false),
        (".", "https://r.example", false),
        ("", "https://r.example", false), ("/", "https://r.example", false), (":5000", "https://r.example:5000", false),
    ])
    func exceptions(entries: String, url: String, isExcepted: Bool) throws {
        let variables = ["https_proxy": "http://p:1", "no_proxy": entries]
        let server = try ProxySettings { variables[$0] }.server(for: HTTPURL(parsing: url).origin)
        #expect((server == nil) == isExcepted)
    }

    @Test func proxiesWithCredentials() throws {
        let settings = try ProxySettings { $0 == "https_proxy" ? "http://me:p%40ss@proxy:1" : nil }
        let server = try settings.server(for: HTTPURL(parsing: "https://r.example").origin)
        #expect(server?.credential == .password(user: "me", "p@ss"))
    }

    @Test(arguments: [
        ("https://p:1", "socks5h://"), ("socks4://p:1", "socks5h://"), ("http://", "socks5://HOST:PORT"),
        ("p:port", "HOST:PORT"), ("socks5://me:secret@p:1", "not supported"), ("socks5://[p]:1", "HOST:PORT"),
    ])
    func noProxies(text: String, hint: String) {
        #expect {
            try ProxySettings { $0 == "https_proxy" ? text : nil }
        } throws: { error in
            "\(error)".contains(hint) && "\(error)".contains("https_proxy") && !"\(error)".contains("secret")
        }
    }

    private func manifest(_ host: String, _ variables: [String: String] = [:]) async throws -> RemoteManifest {
        var options = RegistryOptions()
        options.security.verifies = false
        options.retry.sleep = { _ in }
        options.retry.attempts = 1
        options.proxies = try ProxySettings { variables[$0] }
        return try await RegistryConnection.with(host: host, options, credential: { nil }) {
            try await Repository($0, "r").manifest("1")
        }
    }

    @Test func aProxyIsConnectedThrough() async throws {
        let registry = try RegistryDouble()
        _ = registry.addImage()
        let proxy = "http://\(registry.host)"
        let found = try await manifest("registry.test:5000", ["http_proxy": proxy, "https_proxy": proxy])
        #expect(found.descriptor.mediaType == .imageManifest)
        let connects = registry.requests.filter { $0.method == "CONNECT" }
        #expect(!connects.isEmpty && connects.allSatisfy { $0.target == "registry.test:5000" })
    }

    @Test(arguments: ["socks5", "socks5h"]) func aSOCKSProxyLeadsThere(scheme: String) async throws {
        let registry = try RegistryDouble()
        _ = registry.addImage()
        let proxy = try SOCKSDouble(leadingTo: registry.server.port)
        let found = try await manifest("registry.test:5000", ["all_proxy": "\(scheme)://127.0.0.1:\(proxy.port)"])
        #expect(found.descriptor.mediaType == .imageManifest)
        // It is asked for the name: nobody here looks it up.
        #expect(!proxy.targets.isEmpty && proxy.targets.allSatisfy { $0 == "registry.test:5000" })
    }

    @Test func aSOCKSProxyThatIsNotThereIsAnError() async throws {
        await #expect(throws: RegistryError.self) {
            try await manifest("registry.test:5000", ["all_proxy": "socks5://127.0.0.1:1"])
        }
    }

    @Test(.enabled(if: hasIPv6, "this machine has no ::1")) func aRegistryHasAnAddressOfIPv6() async throws {
        let registry = try RegistryDouble(isIPv6: true)
        _ = registry.addImage()
        let found = try await manifest(RegistryPlace(parsing: "docker://\(registry.host)/r:1").host)
        #expect(found.descriptor.mediaType == .imageManifest)
        #expect(registry.requests.allSatisfy { $0.headers["host"] == registry.host })
    }

    @Test(arguments: [
        ("fd00::1", true), ("fd00:0:0::1", true), ("fd00::2", false), ("::1", false), ("h.x", false),
        ("10.0.0.1", false),
    ])
    func aCertificateNamesAnAddress(host: String, isNamed: Bool) throws {
        let address = try #require(IPAddress("fd00::1"))
        let identity = PeerIdentity(host: host)
        #expect(identity.isAmong([.address(address.bytes), .dns("fd00::1")]) == isNamed)
    }
}
