import Bytes
import OCI
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
