import Bytes
import Digests
import OCI
import RegistryProtocol
import Synchronization
import TestSupport
import Testing

@testable import Registry

/// What is sent where, and above all what is not.
struct AuthorizationTests {
    let folder: TemporaryDirectory
    static let password = Credential.password(user: "me", "hunter2-secret")
    static let basic = password.basicAuthorization!

    init() throws { folder = try TemporaryDirectory() }

    private func pull(
        _ registry: RegistryDouble, credential: Credential? = password, trusting: Set<String> = []
    ) async throws {
        let layout = try LayoutDirectory(making: ByteString(folder.path + "/layout"))
        try await registry.connect(credential: credential, trusting: trusting) {
            _ = try await PullImage($0, into: layout, .all).run("1", annotations: [:])
        }
    }

    /// A registry that lets in who has a token of `realm`, and the realm.
    private static func guarded(
        realm: @escaping @Sendable (HTTPDouble) -> String = { "http://\($0.host)/token" }, token: String = "the-token",
        answer: @escaping @Sendable (HTTPDouble.Request) -> HTTPDouble.Reply? = { _ in nil }
    ) throws -> (registry: RegistryDouble, realm: HTTPDouble) {
        let server = try HTTPDouble { request in
            // A machine may be busy for longer than the minute that a token has without a word about it.
            answer(request) ?? .init(200, [], Array(#"{"token":"\#(token)","expires_in":3600}"#.utf8))
        }
        let url = realm(server)
        let registry = try RegistryDouble { request, _ in
            if request.headers["authorization"] == "Bearer \(token)" { return nil }
            return .init(
                401, [("WWW-Authenticate", #"Bearer realm="\#(url)",service="s",scope="repository:other:delete""#)])
        }
        _ = registry.addImage()
        return (registry, server)
    }

    @Test func aTokenIsGotWithTheCredentials() async throws {
        let (registry, realm) = try Self.guarded()
        try await pull(registry)
        #expect(realm.requests.count == 1)
        let asked = try #require(realm.requests.first)
        #expect(asked.headers["authorization"] == Self.basic)
        #expect(asked.query == "service=s&scope=repository%3Ar%3Apull&account=me")
        // The registry itself sees tokens only.
        #expect(registry.requests.allSatisfy { $0.headers["authorization"]?.hasPrefix("Basic") != true })
    }

    @Test func withoutCredentialsATokenForEverybodyIsGot() async throws {
        let (registry, realm) = try Self.guarded()
        try await pull(registry, credential: nil)
        #expect(realm.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func anIdentityTokenGoesByForm() async throws {
        let (registry, realm) = try Self.guarded()
        try await pull(registry, credential: .identityToken("refresh&me"))
        let asked = try #require(realm.requests.first)
        #expect(asked.method == "POST" && asked.headers["authorization"] == nil)
        #expect(String(decoding: asked.body, as: UTF8.self).hasSuffix("&refresh_token=refresh%26me"))
    }

    @Test func basicCredentialsAreSentWhereTheyAreWanted() async throws {
        let registry = try RegistryDouble { request, _ in
            request.headers["authorization"] == Self.basic
                ? nil : .init(401, [("WWW-Authenticate", #"Basic realm="x""#)])
        }
        _ = registry.addImage()
        try await pull(registry)
        await #expect(throws: RegistryError.unauthorized(host: registry.host, hadCredentials: false, reason: "")) {
            try await pull(registry, credential: nil)
        }
        await #expect(throws: RegistryError.unauthorized(host: registry.host, hadCredentials: true, reason: "")) {
            try await pull(registry, credential: .password(user: "me", "wrong"))
        }
    }

    @Test func nobodyIsShownCredentialsThatHeDidNotAskFor() async throws {
        let registry = try RegistryDouble()
        _ = registry.addImage()
        try await pull(registry)
        #expect(registry.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func aTokenThatIsNoLongerGoodIsReplacedOnce() async throws {
        let count = Mutex(0)
        let realm = try HTTPDouble { _ in
            .init(200, [], Array(#"{"token":"token\#(count.withLock { $0 += 1; return $0 })"}"#.utf8))
        }
        let registry = try RegistryDouble { request, _ in
            if request.headers["authorization"] == "Bearer token2" { return nil }
            return .init(401, [("WWW-Authenticate", #"Bearer realm="http://\#(realm.host)/",service="s""#)])
        }
        _ = registry.addImage()
        try await pull(registry)
        #expect(realm.requests.count == 2)
    }

    @Test func aRegistryThatIsNeverContentIsGivenUp() async throws {
        let (registry, realm) = try Self.guarded()
        _ = realm
        let never = try RegistryDouble { request, _ in
            .init(401, [("WWW-Authenticate", #"Bearer realm="http://\#(realm.host)/token""#)])
        }
        await #expect(throws: RegistryError.self) { try await pull(never) }
        #expect(never.requests.count < 8)
        _ = registry
    }

    /// A host name that leads to this machine as well, and yet is another.
    private static let otherName: @Sendable (HTTPDouble) -> String = { "http://localhost:\($0.port)/token" }

    @Test func credentialsDoNotGoToTheRealmOfAnotherHost() async throws {
        let (registry, realm) = try Self.guarded(realm: Self.otherName)
        await #expect {
            try await pull(registry)
        } throws: { error in
            guard case .refusedRealm? = error as? RegistryError else { return false }
            return "\(error)".contains("--trust-realm")
        }
        #expect(realm.requests.isEmpty)
        // Without credentials there is nothing to lose; and a person may allow it.
        try await pull(registry, credential: nil)
        #expect(realm.requests.allSatisfy { $0.headers["authorization"] == nil })
        try await pull(registry, trusting: ["localhost"])
        #expect(realm.requests.last?.headers["authorization"] == Self.basic)
    }

    @Test func aTokenServerIsNotFollowedElsewhere() async throws {
        let elsewhere = try HTTPDouble { _ in .init(200, [], Array(#"{"token":"the-token"}"#.utf8)) }
        let (registry, realm) = try Self.guarded(answer: { _ in .init(307, [("Location", "http://\(elsewhere.host)/")])
        })
        await #expect(throws: RegistryError.self) { try await pull(registry) }
        #expect(realm.requests.count == 1)
        #expect(elsewhere.requests.isEmpty)
    }

    @Test(arguments: [
        "not json", "{}", #"{"token":""}"#, #"{"token":"a b"}"#, String(repeating: " ", count: 2 << 20),
    ])
    func tokensThatAreNone(_ body: String) async throws {
        let (registry, realm) = try Self.guarded(answer: { _ in .init(200, [], Array(body.utf8)) })
        await #expect(throws: RegistryError.self) { try await pull(registry) }
        // A body that is too long breaks the connection, and on a busy machine that may be seen first and tried again.
        #expect((1...RetryPolicy().attempts).contains(realm.requests.count))
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func aRedirectionToAnotherOriginHasNoCredentials(status: Int) async throws {
        let config = Mutex<[UInt8]>([])
        let cdn = try HTTPDouble { _ in .init(200, [], config.withLock { $0 }) }
        let registry = try RegistryDouble { request, _ in
            guard request.headers["authorization"] == Self.basic else {
                return .init(401, [("WWW-Authenticate", "Basic")])
            }
            guard request.path.contains("/blobs/") else { return nil }
            return .init(status, [("Location", "http://\(cdn.host)/signed?digest=x")])
        }
        let layer = Array("layer".utf8)
        let manifest = registry.addImage(layer: layer)
        config.withLock { $0 = layer }
        let layout = try LayoutDirectory(making: ByteString(folder.path + "/layout"))
        try await registry.connect(credential: Self.password) { repository in
            let outcome = try await repository.download(manifest.layers[0], into: layout, NoObserver())
            #expect(outcome == .downloaded)
        }
        #expect(cdn.requests.count == 1 && cdn.requests[0].headers["authorization"] == nil)
        #expect(cdn.requests[0].headers["cookie"] == nil && cdn.requests[0].headers["referer"] == nil)
    }

    @Test func whatLeftTheRegistryStaysWithoutCredentials() async throws {
        let back = Mutex("")
        let cdn = try HTTPDouble { _ in .init(307, [("Location", back.withLock { $0 })]) }
        let registry = try RegistryDouble { request, _ in
            if request.path == "/v2/r/blobs/back" { return .init(401, [("WWW-Authenticate", "Basic")]) }
            guard request.headers["authorization"] == Self.basic else {
                return .init(401, [("WWW-Authenticate", "Basic")])
            }
            return request.path.contains("/blobs/") ? .init(307, [("Location", "http://\(cdn.host)/")]) : nil
        }
        back.withLock { $0 = "http://\(registry.host)/v2/r/blobs/back" }
        _ = registry.addImage()
        await #expect(throws: RegistryError.self) { try await pull(registry) }
        let returned = registry.requests.filter { $0.path == "/v2/r/blobs/back" }
        #expect(!returned.isEmpty && returned.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func aStrangersChallengeIsNotAnswered() async throws {
        let cdn = try HTTPDouble { _ in .init(401, [("WWW-Authenticate", "Basic")]) }
        let registry = try RegistryDouble { request, _ in
            guard request.headers["authorization"] == Self.basic else {
                return .init(401, [("WWW-Authenticate", "Basic")])
            }
            return request.path.contains("/blobs/") ? .init(307, [("Location", "http://\(cdn.host)/")]) : nil
        }
        _ = registry.addImage()
        await #expect(throws: RegistryError.self) { try await pull(registry) }
        #expect(!cdn.requests.isEmpty && cdn.requests.allSatisfy { $0.headers["authorization"] == nil })
    }

    @Test func redirectionsEnd() async throws {
        let registry = try RegistryDouble { request, _ in
            request.path.contains("/blobs/") ? .init(307, [("Location", request.target)]) : nil
        }
        _ = registry.addImage()
        await #expect(throws: RegistryError.self) { try await pull(registry) }
        #expect(registry.requests.filter { $0.path.contains("/blobs/") }.count <= 2 * (RedirectRule.hopLimit + 1))
    }

    @Test func messagesHoldNoSecrets() async throws {
        let registry = try RegistryDouble { request, _ in
            guard let sent = request.headers["authorization"] else {
                return .init(401, [("WWW-Authenticate", "Basic")])
            }
            // A registry that repeats what it was told.
            let said = "you sent \(sent), that is hunter2-secret"
            return .init(400, [], Array(#"{"errors":[{"code":"X","message":"\#(said)"}]}"#.utf8))
        }
        await #expect {
            try await pull(registry)
        } throws: { error in
            let text = "\(error)"
            return text.contains("you sent") && !text.contains("hunter2") && !text.contains(Self.basic.dropFirst(6))
        }
    }
}
