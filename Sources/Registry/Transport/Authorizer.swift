import RegistryProtocol
import Synchronization

/// Gets from a registry's challenge to the header that lets a request in. Speaks to token servers; keeps tokens while they are
/// good.
actor Authorizer {
    /// Who is asked for credentials, and who is trusted with them.
    struct Policy: Sendable {
        var registry: Origin
        /// As credentials are filed.
        var host: String
        /// Whether certificates of the registry are verified.
        var isVerified: Bool
        /// Hosts that a person trusts with the registry's credentials.
        var trustedRealms: Set<String>
        var credential: @Sendable () throws -> Credential?
    }

    private enum Way {
        case open
        case basic
        case token(TokenRealm)
    }

    private let policy: Policy
    private let transport: HTTPTransport
    private let redactor: Redactor
    private var way = Way.open
    private var loaded: Credential??
    private var tokens: [[String]: (text: String, until: ContinuousClock.Instant)] = [:]
    private var pending: [[String]: Task<Token, any Error>] = [:]

    private static let replyLimit = 1 << 20

    init(_ policy: Policy, transport: HTTPTransport, redactor: Redactor) {
        self.policy = policy
        self.transport = transport
        self.redactor = redactor
    }

    /// Whether credentials for the registry were found. False until it was asked for them.
    var hasCredential: Bool { (loaded ?? nil) != nil }

    /// The value of the `Authorization` header for `scopes`; nil where none is needed, or none to be had.
    ///
    /// - Throws: ``RegistryError``, ``TransientFailure``, `CancellationError`.
    func authorization(for scopes: [String]) async throws -> String? {
        switch way {
        case .open: return nil
        case .basic: return try credential()?.basicAuthorization
        case .token(let realm):
            if let token = tokens[scopes], token.until > .now { return "Bearer " + token.text }
            return "Bearer " + (try await token(from: realm, scopes))
        }
    }

    /// Learns from a refusal of the registry itself.
    ///
    /// - Parameters:
    ///   - headers: the values of `WWW-Authenticate`.
    ///   - rejected: the header that was not enough; nil when none was sent.
    /// - Returns: whether there is something else to try.
    /// - Throws: ``RegistryError``.
    func learn(from headers: [String], rejected: String?) throws -> Bool {
        let challenges = headers.prefix(16).flatMap { Challenge.parse($0) }
        if let rejected { tokens = tokens.filter { "Bearer " + $0.value.text != rejected } }
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            way = .token(try TokenRealm(bearer, of: policy.registry))
            return true
        }
        if challenges.contains(where: { $0.scheme == "basic" }) {
            way = .basic
            guard let authorization = try credential()?.basicAuthorization else { return false }
            return authorization != rejected
        }
        return false
    }

    private func credential() throws -> Credential? {
        if let loaded { return loaded }
        let found = try policy.credential()
        for secret in found?.secrets ?? [] { redactor.add(secret) }
        loaded = .some(found)
        return found
    }

    private func token(from realm: TokenRealm, _ scopes: [String]) async throws -> String {
        // Parallel blobs wait for one token.
        let task: Task<Token, any Error>
        if let running = pending[scopes] {
            task = running
        } else {
            let credential = try credential()
            task = Task { try await self.fetch(realm, scopes, credential) }
            pending[scopes] = task
        }
        defer { pending[scopes] = nil }
        let token = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        redactor.add(token.text)
        tokens[scopes] = (token.text, .now + token.lifetime)
        return token.text
    }

    private func fetch(_ realm: TokenRealm, _ scopes: [String], _ credential: Credential?) async throws -> Token {
        if credential != nil {
            try realm.checkCredentials(
                for: policy.registry, isVerified: policy.isVerified, trusted: policy.trustedRealms)
        }
        var request: HTTPRequest
        switch credential {
        case nil: request = HTTPRequest(.get, realm.tokenURL(scopes: scopes, account: nil))
        case .password(let user, _)?:
            request = HTTPRequest(.get, realm.tokenURL(scopes: scopes, account: user))
            request.headers.append(("Authorization", credential?.basicAuthorization ?? ""))
        case .identityToken(let token)?:
            request = HTTPRequest(
                .post, realm.url, body: .bytes(realm.refreshForm(scopes: scopes, refreshToken: token)))
            request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        }
        let name = realm.url.redacted
        do {
            let response = try await transport.send(request)
            switch response.status {
            case 200: return try Token(parsing: await response.bytes(limit: Self.replyLimit), from: name)
            case 400, 401, 403:
                let reason = await ErrorBody.reason(of: response, redactor)
                throw RegistryError.unauthorized(host: policy.host, hadCredentials: credential != nil, reason: reason)
            case let status where RedirectRule.isRedirect(status):
                throw RegistryError.refusedRedirect(
                    from: name, to: shown(response.header("Location") ?? "nowhere"),
                    reason: "what is sent to a token server is for it alone")
            case let status where RetryPolicy.isTransient(status):
                throw TransientFailure(response, what: name, reason: await ErrorBody.reason(of: response, redactor))
            case let status:
                throw RegistryError.refused(
                    what: name, status: status, reason: await ErrorBody.reason(of: response, redactor))
            }
        } catch let failure as TransportFailure {
            throw TransientFailure(failure, url: realm.url)
        }
    }
}
