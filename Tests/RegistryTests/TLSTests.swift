import Bytes
import OCI
import RegistryProtocol
import TestSupport
import Testing

@testable import Registry

/// What a registry with TLS may not lead to.
@Suite(.enabled(if: Tool.isAvailable("python3") && Tool.isAvailable("openssl"), "no python3 or openssl"))
struct TLSTests {
    private func manifest(
        _ registry: RegistryDouble, credential: Credential? = nil,
        authority: (TLSFront) -> [String] = { [$0.certificates.authority] }
    ) async throws -> RemoteManifest {
        try await TLSFront.whileRunning(before: registry.server.port) { front in
            var options = RegistryOptions()
            options.security.authorities = authority(front)
            options.retry.sleep = { _ in }
            return try await RegistryConnection.with(host: front.host, options, credential: { credential }) {
                try await Repository($0, "r").manifest("1")
            }
        }
    }

    @Test func aTrustedAuthorityIsEnough() async throws {
        let registry = try RegistryDouble()
        _ = registry.addImage()
        #expect(try await manifest(registry).descriptor.mediaType == .imageManifest)
    }

    @Test func anUnknownAuthorityIsNot() async throws {
        let registry = try RegistryDouble()
        _ = registry.addImage()
        await #expect {
            try await manifest(registry, authority: { _ in [] })
        } throws: { error in
            guard case .untrusted? = error as? RegistryError else { return false }
            return true
        }
        #expect(registry.requests.isEmpty)
    }

    /// With certificates that are not verified, on this machine: by what, and with which requests until the answer.
    private func unverified(
        _ host: String, _ credential: @escaping @Sendable () -> Credential? = { nil }
    ) async throws -> (isSecure: Bool, manifest: MediaType) {
        var options = RegistryOptions()
        options.security.verifies = false
        options.retry.sleep = { _ in }
        return try await RegistryConnection.with(host: host, options, credential: credential) {
            ($0.session.registry.isSecure, try await Repository($0, "r").manifest("1").descriptor.mediaType)
        }
    }

    @Test func aRegistryOfThisMachineIsAskedInTheClearFirst() async throws {
        let registry = try RegistryDouble()
        _ = registry.addImage()
        let found = try await unverified(registry.host)
        #expect(!found.isSecure && found.manifest == .imageManifest)
        #expect(registry.requests.map(\.path) == ["/v2/", "/v2/r/manifests/1"])
    }

    @Test func whereItHasTLSThatIsSpokenAndCredentialsAreNotInTheClear() async throws {
        let registry = try RegistryDouble { request, _ in
            request.headers["authorization"] == nil ? .init(401, [("WWW-Authenticate", "Basic realm=x")]) : nil
        }
        _ = registry.addImage()
        let found = try await TLSFront.whileRunning(before: registry.server.port) { front in
            try await unverified(front.host) { .password(user: "u", "p") }
        }
        #expect(found.isSecure && found.manifest == .imageManifest)
    }

    @Test(arguments: [400, 404, 500, 503]) func whatIsNoRegistryInTheClearMayBeOneByTLS(status: Int) async throws {
        let server = try HTTPDouble { _ in .init(status, [], []) }
        await #expect(throws: RegistryError.self) { _ = try await unverified(server.host) }
        // Not a registry by TLS either: what is said then is what was said of it in the clear.
        #expect(server.requests.allSatisfy { $0.path == "/v2/" } && server.requests.count >= 2)
    }

    @Test(arguments: [301, 302, 307, 308]) func httpsDoesNotLeadToHTTP(status: Int) async throws {
        let canary = try HTTPDouble { _ in
            .init(200, [("Content-Type", MediaType.imageManifest.text)], Array("{}".utf8))
        }
        let registry = try RegistryDouble { request, _ in
            request.path.contains("/manifests/") ? .init(status, [("Location", "http://\(canary.host)/")]) : nil
        }
        await #expect {
            try await manifest(registry)
        } throws: { error in
            guard case .refusedRedirect? = error as? RegistryError else { return false }
            return "\(error)".contains("https to http")
        }
        #expect(canary.requests.isEmpty)
    }

    @Test func credentialsAreNotSentToARealmInTheClear() async throws {
        let canary = try HTTPDouble { _ in .init(200, [], Array(#"{"token":"t"}"#.utf8)) }
        let registry = try RegistryDouble { request, _ in
            .init(401, [("WWW-Authenticate", #"Bearer realm="http://\#(canary.host)/token""#)])
        }
        for credential in [nil, Credential.password(user: "u", "secret")] {
            await #expect {
                try await manifest(registry, credential: credential)
            } throws: { error in
                guard case .refusedRealm? = error as? RegistryError else { return false }
                return true
            }
        }
        #expect(canary.requests.isEmpty)
    }

    @Test func uploadsDoNotGoOnInTheClear() async throws {
        let registry = try RegistryDouble()
        let plain = registry.host
        let insecure = try RegistryDouble { request, _ in
            request.method == "POST" ? .init(202, [("Location", "http://\(plain)/v2/r/blobs/uploads/u")]) : nil
        }
        let folder = try TemporaryDirectory()
        let layout = try LayoutDirectory(making: .init(folder.path + "/layout"))
        let config = Array("{}".utf8)
        let descriptor = Descriptor(mediaType: .imageConfiguration, of: config)
        try layout.add(config, descriptor.checkedDigest())
        await #expect(throws: RegistryError.self) {
            try await TLSFront.whileRunning(before: insecure.server.port) { front in
                var options = RegistryOptions()
                options.security.authorities = [front.certificates.authority]
                try await RegistryConnection.with(host: front.host, options, credential: { nil }) {
                    _ = try await Repository($0, "r").upload(descriptor, from: layout, mountingFrom: [], NoObserver())
                }
            }
        }
        #expect(registry.requests.isEmpty)
    }
}
