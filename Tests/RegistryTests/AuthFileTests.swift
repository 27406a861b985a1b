import Foundation
import OCI
import RegistryProtocol
import Synchronization
import TestSupport
import Testing

@testable import Registry

struct AuthFileTests {
    private static let me = Base64.encode(Array("me:secret:with:colons".utf8))
    private static let other = Base64.encode(Array("other:x".utf8))

    private static func file(_ json: String) throws -> AuthFile { try AuthFile(parsing: Array(json.utf8)) }

    @Test(
        arguments: [
            ("host:5000", "a/b", "me"), ("host:5000", nil, "me"), ("deep.example", "a/b/c", "other"),
            ("deep.example", "a/x", "me"), ("deep.example", "z", nil), ("deep.example", nil, nil),
            ("docker.io", "library/x", "me"),
            ("old.example", "x", "other"), ("host", "x", nil), ("", "", nil),
        ] as [(String, String?, String?)])
    func theMostSpecificEntryCounts(host: String, repository: String?, user: String?) throws {
        let file = try Self.file(
            """
            {"auths": {"host:5000": {"auth": "\(Self.me)"}, "deep.example/a/b": {"auth": "\(Self.other)"},
             "deep.example/a": {"auth": "\(Self.me)"}, "https://index.docker.io/v1/": {"auth": "\(Self.me)"},
             "https://old.example/v1/": {"auth": "\(Self.other)"}, "broken": {"auth": "!"}, "empty": {}}}
            """)
        let found = file.entry(host: host, repository: repository)
        let passwords = ["me": "secret:with:colons", "other": "x"]
        #expect(found == user.map { .credential(.password(user: $0, passwords[$0]!)) })
    }

    @Test func helpersComeBeforeAndAfterEntries() throws {
        let file = try Self.file(
            #"{"credHelpers": {"a.example": "one", "docker.io": "hub"}, "credsStore": "all", "auths": {"b.example": {"auth": "\#(Self.me)"}, "a.example": {"auth": "\#(Self.me)"}, "c.example": {"identitytoken": "t"}}}"#
        )
        #expect(file.entry(host: "a.example", repository: "x") == .helper("one"))
        #expect(file.entry(host: "docker.io", repository: nil) == .helper("hub"))
        #expect(file.entry(host: "c.example", repository: nil) == .credential(.identityToken("t")))
        #expect(file.entry(host: "d.example", repository: nil) == .helper("all"))
        guard case .credential? = file.entry(host: "b.example", repository: nil) else {
            Issue.record("an entry with credentials comes before the helper for all")
            return
        }
    }

    @Test func whatIsWrittenIsReadAndTheRestStays() throws {
        let file = try Self.file(#"{"HttpHeaders":{"X":"y"},"auths":{"a":{"auth":"\#(Self.me)","email":"e"}}}"#)
        let changed = file.setting(.password(user: "you", "p:w"), host: "docker.io")
        #expect(changed.entry(host: "docker.io", repository: nil) == .credential(.password(user: "you", "p:w")))
        #expect(String(decoding: changed.bytes, as: UTF8.self).contains(#""HttpHeaders":{"X":"y"}"#))
        #expect(String(decoding: changed.bytes, as: UTF8.self).contains("https://index.docker.io/v1/"))
        let back = changed.setting(nil, host: "docker.io")
        #expect(back.bytes == file.bytes)
    }

    @Test(arguments: ["", "[]", "7", "{", #"{"auths":{}} x"#]) func noFiles(_ json: String) {
        #expect(throws: OCIError.self) { try Self.file(json) }
    }

    @Test(arguments: [
        #"{"auths":[]}"#, #"{"auths":{"h":7}}"#, #"{"auths":{"h":{"auth":[]}}}"#,
        #"{"credHelpers":"x","credsStore":{}}"#,
    ])
    func oddFilesHoldNothing(_ json: String) throws {
        #expect(try Self.file(json).entry(host: "h", repository: "x") == nil)
    }

    @Test(arguments: 0..<40) func base64(length: Int) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ 11) }
        #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }

    @Test(arguments: ["a", "ab=", "====", "a===", "ab c", "ab-_"]) func noBase64(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    private static let places: [([String: String], String?, [String], String?)] = [
        (
            ["HOME": "/h"], nil,
            ["/run/containers/7/auth.json", "/h/.config/containers/auth.json", "/h/.docker/config.json"],
            "/h/.config/containers/auth.json"
        ),
        (
            ["HOME": "/h", "XDG_RUNTIME_DIR": "/r", "XDG_CONFIG_HOME": "/c"], nil,
            ["/r/containers/auth.json", "/c/containers/auth.json", "/h/.docker/config.json"], "/c/containers/auth.json"
        ),
        (
            ["HOME": "/h", "DOCKER_CONFIG": "/d"], nil,
            ["/d/config.json", "/run/containers/7/auth.json", "/h/.config/containers/auth.json"], "/d/config.json"
        ),
        (["HOME": "/h", "REGISTRY_AUTH_FILE": "/f"], nil, ["/f"], "/f"),
        (["HOME": "/h", "REGISTRY_AUTH_FILE": "/f"], "/g", ["/g"], "/g"),
        ([:], nil, ["/run/containers/7/auth.json"], nil),
    ]

    @Test(arguments: places)
    func placesOfFiles(variables: [String: String], option: String?, paths: [String], usual: String?) {
        let locations = AuthFileLocations(option: option, uid: 7) { variables[$0] }
        #expect(locations.paths == paths && locations.usual == usual)
    }

    @Test func storedCredentialsAreTheOwnersOnly() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/new/auth.json"
        let store = CredentialStore(authFile: path, variable: { _ in nil }, warn: { Issue.record("\($0)") })
        #expect(try store.credential(host: "h.x", repository: nil) == nil)
        #expect(try store.store(.password(user: "u", "p"), host: "h.x") == path)
        #expect(try store.credential(host: "h.x", repository: "any") == .password(user: "u", "p"))
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try store.erase(host: "h.x") == [path])
        #expect(try store.credential(host: "h.x", repository: nil) == nil)
        #expect(try store.erase(host: "h.x") == [])
    }

    @Test func aFileThatOthersReadIsWarnedOf() throws {
        let folder = try TemporaryDirectory()
        try folder.write("auth.json", Array(#"{"auths":{"h.x":{"auth":"\#(Self.me)"}}}"#.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.path + "/auth.json")
        let warnings = Mutex(0)
        let store = CredentialStore(
            authFile: folder.path + "/auth.json", variable: { _ in nil }, warn: { _ in warnings.withLock { $0 += 1 } })
        #expect(try store.credential(host: "h.x", repository: nil) != nil)
        #expect(warnings.withLock { $0 } == 1)
    }

    @Test(arguments: ["../evil", "a/b", "", "a b", "x;y", "$(id)", "é"]) func noHelperNames(_ suffix: String) {
        #expect(throws: RegistryError.self) { try CredentialHelper(suffix: suffix, searchPath: "/bin") }
    }

    @Test func aHelperIsAskedAndTold() throws {
        let folder = try TemporaryDirectory()
        let script = """
            #!/bin/sh
            input=$(cat)
            echo "$1 $input" >> \(folder.path)/log
            case $1 in
            get) [ "$input" = h.x ] || { echo "credentials not found in native keychain"; exit 1; }
                 echo '{"ServerURL":"h.x","Username":"u","Secret":"s"}' ;;
            esac
            """
        try folder.write("docker-credential-test", Array(script.utf8))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: folder.path + "/docker-credential-test")
        try folder.write("auth.json", Array(#"{"credsStore":"test"}"#.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path + "/auth.json")
        let path = folder.path + ":/usr/bin:/bin"
        let store = CredentialStore(
            authFile: folder.path + "/auth.json", variable: { $0 == "PATH" ? path : nil },
            warn: { Issue.record("\($0)") })
        #expect(try store.credential(host: "h.x", repository: "r") == .password(user: "u", "s"))
        #expect(try store.credential(host: "other.x", repository: "r") == nil)
        #expect(try store.store(.identityToken("t"), host: "h.x") == "docker-credential-test")
        #expect(try store.erase(host: "h.x") == ["docker-credential-test"])
        let log = String(decoding: try folder.read("log"), as: UTF8.self)
        #expect(
            log.contains(#"store {"Secret":"t","ServerURL":"h.x","Username":"<token>"}"#) && log.contains("erase h.x"))
        // What the helper keeps is not in the file as well.
        #expect(try folder.read("auth.json") == Array(#"{"credsStore":"test"}"#.utf8))
    }

    @Test func credentialsDoNotShow() {
        #expect("\(Credential.password(user: "u", "secret"))" == "credentials")
        let redactor = Redactor()
        for secret in Credential.password(user: "u", "secret").secrets { redactor.add(secret) }
        #expect(redactor.redact("a secret dTpzZWNyZXQ= b") == "a *** *** b")
    }
}
