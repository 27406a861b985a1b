public import Logging
import RegistryProtocol

/// How a registry is spoken to.
public struct RegistryOptions: Sendable {
    public var security = ConnectionSecurity()
    public var proxies = ProxySettings()
    public var retry = RetryPolicy()
    /// Hosts outside the registry's domain that its credentials may be sent to for a token.
    public var trustedRealms: Set<String> = []
    /// How many blobs are transferred at a time.
    public var jobs = 4
    /// Larger blobs are uploaded in chunks of this many bytes, each of which is repeated by itself when it fails.
    public var chunkSize: Int64 = 64 << 20
    /// Told what is done; never a secret.
    public var log = Logger(label: "layerfs.registry") { _ in SwiftLogNoOpLogHandler() }

    public init() {}
}

/// A registry that answered.
public struct RegistryConnection: Sendable {
    let session: RegistrySession
    let options: RegistryOptions
    public let host: String

    /// Runs `body` with a connection to the registry `host`, which is closed afterwards.
    ///
    /// Where certificates are not to be verified and TLS is not spoken at all, plain HTTP is; on this machine that is tried first.
    ///
    /// - Parameter credential: asked for when the registry wants credentials, and only then.
    /// - Throws: ``RegistryError``, `CancellationError`, what `body` throws.
    public static func with<Result>(
        host: String, _ options: RegistryOptions, credential: @escaping @Sendable () throws -> Credential?,
        _ body: (RegistryConnection) async throws -> Result
    ) async throws -> Result {
        let secure = try RegistryPlace.origin(of: host, isSecure: true)
        let transport = try HTTPTransport(
            registryHost: secure.host, security: options.security, proxies: options.proxies)
        do {
            let connection = try await open(host, options, transport, credential)
            let result = try await body(connection)
            await transport.shutdown()
            return result
        } catch {
            await transport.shutdown()
            throw error
        }
    }

    private static func open(
        _ host: String, _ options: RegistryOptions, _ transport: HTTPTransport,
        _ credential: @escaping @Sendable () throws -> Credential?
    ) async throws -> RegistryConnection {
        func connection(isSecure: Bool) throws -> RegistryConnection {
            let origin = try RegistryPlace.origin(of: host, isSecure: isSecure)
            let policy = Authorizer.Policy(
                registry: origin, host: host, isVerified: options.security.verifies,
                trustedRealms: options.trustedRealms, credential: credential)
            let session = RegistrySession(policy, transport: transport, retry: options.retry, log: options.log)
            return RegistryConnection(session: session, options: options, host: host)
        }
        let secure = try connection(isSecure: true)
        func speakingPlainly(_ plain: RegistryConnection) -> RegistryConnection {
            options.log.log(
                level: plain.session.registry.isLocal ? .info : .warning, "\(host) is spoken to in the clear")
            return plain
        }
        // Nobody listens between a process and another of the same machine, and the attempt at TLS would take as long as all that is
        // asked afterwards. Whatever does not answer as a registry does is asked by TLS, without credentials until then.
        if !options.security.verifies, secure.session.registry.isLoopback {
            let plain = try connection(isSecure: false)
            if try await plain.isRegistry() { return speakingPlainly(plain) }
        }
        do {
            try await secure.checkVersion()
            return secure
        } catch let error as RegistryError where !options.security.verifies {
            switch error {
            case .untrusted, .unreachable: break
            default: throw error
            }
            let plain = speakingPlainly(try connection(isSecure: false))
            try await plain.checkVersion()
            return plain
        }
    }

    private var versionURL: HTTPURL { HTTPURL(origin: session.registry, path: "/v2/") }

    private static func isOfRegistry(_ status: Int) -> Bool { [200, 401, 403].contains(status) }

    /// Asks once whether this is a registry; whatever goes wrong is a no.
    ///
    /// - Throws: `CancellationError`.
    private func isRegistry() async throws -> Bool {
        do {
            return Self.isOfRegistry(try await session.probe(versionURL))
        } catch {
            try Task.checkCancellation()
            return false
        }
    }

    /// Asks whether this is a registry (distribution-spec, end-1). That it wants credentials is a yes.
    private func checkVersion() async throws {
        try await session.persistently {
            do {
                let status = try await session.probe(versionURL)
                guard Self.isOfRegistry(status) else {
                    throw RegistryError.notARegistry(url: versionURL.description, status: status)
                }
            } catch let passing as TransientFailure {
                // Nobody there: most likely a wrong name, which waiting does not mend.
                if case .unreachable = passing.failure { throw passing.failure }
                throw passing
            }
        }
    }

    /// Shows the registry the credentials, and nothing else.
    ///
    /// - Throws: ``RegistryError/unauthorized(host:hadCredentials:reason:)``, ``RegistryError``, `CancellationError`.
    public func logIn() async throws {
        try await session.persistently {
            let response = try await session.send(HTTPRequest(.get, versionURL), scopes: [])
            guard response.status == 200 else { throw await session.failure(response, what: "the credentials") }
        }
    }
}
