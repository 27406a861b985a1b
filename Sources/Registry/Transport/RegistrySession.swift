import Logging
import RegistryProtocol

/// Requests to one registry: let in, redirected and repeated as the rules say.
final class RegistrySession: Sendable {
    let registry: Origin
    let redactor: Redactor
    private let transport: HTTPTransport
    private let authorizer: Authorizer
    private let retry: RetryPolicy
    private let log: Logger
    /// What is longer than this costs more to read than a connection does.
    private static let greetingLimit = 16 << 10

    init(
        _ policy: Authorizer.Policy, transport: HTTPTransport, retry: RetryPolicy, log: Logger
    ) {
        registry = policy.registry
        redactor = Redactor()
        self.transport = transport
        self.retry = retry
        self.log = log
        authorizer = Authorizer(policy, transport: transport, redactor: redactor)
    }

    /// Does `body` until it does not fail with something that passes, or the attempts are used up.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`, what `body` throws.
    func persistently<Result>(_ body: () async throws -> Result) async throws -> Result {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch let passing as TransientFailure {
                attempt += 1
                let delay = retry.delay(
                    beforeAttempt: attempt, retryAfter: passing.retryAfter, chance: .random(in: 0...1))
                guard let delay else {
                    if let wish = passing.retryAfter, wish > retry.patience, case .busy(let what, _) = passing.failure {
                        throw RegistryError.busy(
                            what: what, reason: "the registry asks to wait \(wish.components.seconds) s")
                    }
                    throw passing.failure
                }
                log.info("\(passing.failure); attempt \(attempt) in \(delay)")
                try await retry.sleep(delay)
            }
        }
    }

    /// Sends `request` once; goes where it is redirected to if that is allowed, and answers challenges.
    ///
    /// - Parameter scopes: what the request needs, as token servers write it: `repository:NAME:pull`.
    /// - Returns: the answer, whatever its status but for those that pass.
    /// - Throws: ``TransientFailure``, ``RegistryError``, `CancellationError`.
    func send(_ request: HTTPRequest, scopes: [String]) async throws -> HTTPResponse {
        var request = request
        let headers = request.headers
        var (hops, challenges, isAtHome) = (0, 0, true)
        while true {
            // Once a request has left the registry it is a stranger's, even where it comes back.
            isAtHome = isAtHome && request.url.origin == registry
            let authorization = isAtHome ? try await authorizer.authorization(for: scopes) : nil
            request.headers = headers + (authorization.map { [("Authorization", $0)] } ?? [])
            let response = try await sendPlainly(request)
            switch response.status {
            case 401 where isAtHome:
                challenges += 1
                let more = try await authorizer.learn(
                    from: response.headers("WWW-Authenticate"), rejected: authorization)
                if more, challenges <= 2 {
                    await finish(response)
                    continue
                }
                throw RegistryError.unauthorized(
                    host: registry.authority, hadCredentials: await authorizer.hasCredential,
                    reason: await ErrorBody.reason(of: response, redactor))
            case let status where RedirectRule.isRedirect(status):
                guard request.method == .get || request.method == .head else {
                    throw RegistryError.refusedRedirect(
                        from: request.url.redacted, to: shown(response.header("Location") ?? "nowhere"),
                        reason: "what is stored is for the registry alone")
                }
                request.url = try RedirectRule.target(
                    of: response.header("Location"), from: request.url, registry: registry, hops: hops)
                hops += 1
            case let status where RetryPolicy.isTransient(status):
                throw TransientFailure(
                    response, what: "\(request.method.rawValue) \(request.url.redacted)",
                    reason: await ErrorBody.reason(of: response, redactor))
            default: return response
            }
        }
    }

    /// Sends a request without credentials, and learns from the answer what the registry wants.
    ///
    /// - Returns: the status.
    /// - Throws: as ``send(_:scopes:)``.
    func probe(_ url: HTTPURL) async throws -> Int {
        let response = try await sendPlainly(HTTPRequest(.get, url))
        if response.status == 401 {
            _ = try await authorizer.learn(from: response.headers("WWW-Authenticate"), rejected: nil)
        } else if RetryPolicy.isTransient(response.status) {
            throw TransientFailure(
                response, what: "GET \(url.redacted)", reason: await ErrorBody.reason(of: response, redactor))
        }
        await finish(response)
        return response.status
    }

    /// Reads what is left of an answer that nobody wants: no other request can follow on the connection before.
    func finish(_ response: HTTPResponse) async { _ = await response.prefix(limit: Self.greetingLimit) }

    private func sendPlainly(_ request: HTTPRequest) async throws -> HTTPResponse {
        do {
            let response = try await transport.send(request)
            log.debug("\(request.method.rawValue) \(request.url.redacted): \(response.status)")
            for warning in response.headers("Warning").prefix(4) where warning.hasPrefix("299") {
                log.warning("\(registry): \(shown(redactor.redact(warning)))")
            }
            return response
        } catch let failure as TransportFailure {
            // A certificate does not become better by waiting, and nobody who is not there.
            switch failure {
            case .untrusted: throw failure.error(url: request.url)
            case .unconnected, .broken: throw TransientFailure(failure, url: request.url)
            }
        }
    }

    /// The error that an answer stands for which is none of those that were hoped for.
    func failure(_ response: HTTPResponse, what: String) async -> RegistryError {
        let reason = await ErrorBody.reason(of: response, redactor)
        return switch response.status {
        case 401: .unauthorized(host: response.url.origin.authority, hadCredentials: false, reason: reason)
        case 403: .denied(what: what, reason: reason)
        case 404: .notFound(what: what)
        case let status: .refused(what: what, status: status, reason: reason)
        }
    }
}
