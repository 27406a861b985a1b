import RegistryProtocol
import TestSupport
import Testing

@testable import Registry

struct URLTests {
    @Test(arguments: [
        ("https://host", "https://host/"), ("HTTP://Host:80/a", "http://host/a"), ("https://h:443/", "https://h/"),
        ("https://h:5000/v2/?a=b&c", "https://h:5000/v2/?a=b&c"), ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x"),
        ("https://h/a%2Fb?sig=%3D#frag", "https://h/a%2Fb?sig=%3D"), ("https://h?q", "https://h/?q"),
        ("https://a_b.c-d.example/x~y", "https://a_b.c-d.example/x~y"),
        ("https://[::1]/v2/", "https://[::1]/v2/"), ("http://[FD00:0::A]:5000/x", "http://[fd00::a]:5000/x"),
        ("https://[2001:db8:0:0:0:0:0:1]:443/", "https://[2001:db8::1]/"),
    ])
    func isWrittenAsItWasMeant(text: String, expected: String) throws {
        #expect(try HTTPURL(parsing: text).description == expected)
        #expect(try HTTPURL(parsing: HTTPURL(parsing: text).description) == HTTPURL(parsing: text))
    }

    @Test(arguments: [
        "", "host", "ftp://h/", "file:///etc/passwd", "https://", "https://user@h/",
        "https://good.example@evil.example/",
        "https://h:0/", "https://h:65536/", "https://h:x/", "https://h:/", "https://[::1/", "https://::1/",
        "https://[::1]5000/", "https://[::1%25lo]/",
        "https://[::1%lo]/", "https://[127.0.0.1]/", "https://[h]/", "https://[]/", "https://[::1]:0/",
        "https://[::1]:/",
        "https://[1::2::3]/", "https://[::1]@evil/", "https://h\\@evil/",
        "https://a..b/", "https://-a/", "https://h /", "https://h/a b", "https://h/\r\nHost: x", "https://h/\u{e9}",
        "https://2130706433/", "https://127.1/", "https://0x7f000001/", "https://127.0.0.0x1/", "https://1.2.3.4.5/",
        "https://h/" + String(repeating: "a", count: 9000), "https://127.0.0.01/", "//h/", "https:/h", "javascript:x",
    ])
    func whatCouldBeReadInTwoWaysIsRefused(_ text: String) {
        #expect(throws: RegistryError.self) { try HTTPURL(parsing: text) }
    }

    @Test(arguments: [
        ("/v2/x", "https://h:1/v2/x"), ("x?y=1", "https://h:1/a/x?y=1"), ("?z=2", "https://h:1/a/b?z=2"),
        ("//other/p", "https://other/p"), ("http://h:1/p", "http://h:1/p"), ("#f", "https://h:1/a/b?c=d"),
        ("../x", "https://h:1/a/../x"),
    ])
    func resolvesLocations(reference: String, expected: String) throws {
        #expect(try HTTPURL(parsing: "https://h:1/a/b?c=d").resolving(reference).description == expected)
    }

    @Test(arguments: ["", "ftp://h/", "data:text", "https:h", "mailto:a@b", "x y"])
    func refusesLocations(_ reference: String) {
        #expect(throws: RegistryError.self) { try HTTPURL(parsing: "https://h/").resolving(reference) }
    }

    @Test func appendsParameters() throws {
        let url = try HTTPURL(parsing: "https://h/u?_state=a%3D")
        #expect(url.appending([("digest", "sha256:ab")]).description == "https://h/u?_state=a%3D&digest=sha256%3Aab")
        #expect(try HTTPURL(parsing: "https://h/?sc%6Fpe=x&a").parameterNames == ["scope", "a"])
    }

    @Test(arguments: [
        ("http://localhost:5000/", true), ("http://127.0.0.1/", true), ("http://127.255.0.9:1/", true),
        ("http://[::1]/", true),
        ("http://[0:0::1]/", true), ("http://a.localhost/", false), ("http://0.0.0.0/", false), ("http://[::]/", false),
        ("http://169.254.1.1/", false), ("http://[fe80::1]/", false), ("http://[::ffff:127.0.0.1]/", false),
        ("http://128.0.0.1/", false), ("http://localhost.example/", false), ("http://127.0.0.1.example/", false),
    ])
    func knowsWhatCanBeNoOtherMachine(text: String, isLoopback: Bool) throws {
        #expect(try HTTPURL(parsing: text).origin.isLoopback == isLoopback)
    }

    @Test(arguments: [
        ("http://localhost/", true), ("http://a.localhost/", true), ("http://127.9.9.9/", true),
        ("http://169.254.169.254/", true), ("http://0.0.0.0/", true), ("http://10.0.0.1/", false),
        ("http://localhost.example/", false), ("http://[::1]/", true), ("http://[::]/", true),
        ("http://[fe80::1]/", true), ("http://[febf::1]/", true), ("http://[fec0::1]/", false),
        ("http://[2001:db8::1]/", false), ("http://[::ffff:127.0.0.1]/", true), ("http://[::ffff:a9fe:a9fe]/", true),
        ("http://[::ffff:10.0.0.1]/", false), ("http://[64:ff9b::7f00:1]/", true), ("http://[::127.0.0.1]/", true),
    ])
    func knowsWhatIsThisMachine(text: String, isLocal: Bool) throws {
        #expect(try HTTPURL(parsing: text).origin.isLocal == isLocal)
    }

    @Test(arguments: [
        ("registry.gitlab.com", "gitlab.com", true), ("registry-1.docker.io", "auth.docker.io", true),
        ("a.example", "b.example", false), ("h", "h", true), ("x.h", "y.h", false), ("10.0.0.1", "10.1.0.1", false),
        ("evil.com", "evil.com.org", false), ("io", "docker.io", false), ("[fd00::1]", "[fd00::2]", false),
        ("[fd00::1]", "[fd00:0::1]", true),
    ])
    func knowsWhatIsOneDomain(first: String, second: String, shares: Bool) throws {
        let (one, other) = (try HTTPURL(parsing: "https://\(first)/"), try HTTPURL(parsing: "https://\(second)/"))
        #expect(one.origin.sharesDomain(with: other.origin) == shares)
        #expect(other.origin.sharesDomain(with: one.origin) == shares)
    }

    @Test func damagedTextsNeverTrap() throws {
        var generator = SeededGenerator(seed: 1)
        let seeds = [
            "https://registry.example:5000/v2/a/b?c=d#e", "//h/p?q", "../x", "http://127.0.0.1/",
            "http://[fd00::1]:5000/x",
        ]
        let base = try HTTPURL(parsing: "https://h/a/b")
        for _ in 0..<fuzzRounds {
            var bytes = Array(seeds.randomElement(using: &generator)!.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let url = try? base.resolving(text) {
                // What is accepted means the same to the next reader.
                #expect(try HTTPURL(parsing: url.description) == url)
            }
        }
    }
}
