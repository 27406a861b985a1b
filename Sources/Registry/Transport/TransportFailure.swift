internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
import RegistryProtocol
import SystemPackage

/// No answer came, or only part of one.
enum TransportFailure: Error {
    /// There was no connection.
    case unconnected(reason: String)
    /// There was none that can be trusted.
    case untrusted(reason: String)
    /// There was one, but it broke.
    case broken(reason: String)

    init(_ error: any Error) {
        switch error {
        case let error as NIOConnectionError: self = .unconnected(reason: Self.reason(error))
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            self = .untrusted(reason: "its certificate is for another host")
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            self = .untrusted(reason: Self.reason(tls: error))
        case is PeerIdentity.Mismatch: self = .untrusted(reason: "its certificate is for another host")
        case let error as IOError: self = .broken(reason: Self.reason(error))
        case let error as HTTPClientError: self.init(error)
        default: self = .broken(reason: Self.plain("\(error)"))
        }
    }

    private init(_ error: HTTPClientError) {
        switch error {
        case .tlsHandshakeTimeout: self = .untrusted(reason: "the TLS handshake took too long")
        case .connectTimeout: self = .unconnected(reason: "nobody answers")
        case .proxyAuthenticationRequired: self = .unconnected(reason: "the proxy wants other credentials")
        case .invalidProxyResponse: self = .unconnected(reason: "the proxy refuses the connection")
        case .readTimeout, .writeTimeout: self = .broken(reason: "the other side is silent")
        case .remoteConnectionClosed: self = .broken(reason: "the connection was closed")
        default: self = .broken(reason: error.shortDescription)
        }
    }

    private static func reason(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first?.error {
            return (first as? IOError).map { reason($0) } ?? plain("\(first)")
        }
        return "no address of \(error.host) is known"
    }

    private static func reason(_ error: IOError) -> String { "\(Errno(rawValue: error.errnoCode))" }

    /// The few things that go wrong most, in words.
    private static func reason(tls error: any Error) -> String {
        // Not what the whole error says, which is put together by reflection: for a registry without TLS that takes longer than
        // all that is asked of it.
        if case NIOSSLError.handshakeFailed(.sslError(let stack)) = error,
            stack.contains(where: { $0.description.contains("WRONG_VERSION_NUMBER") })
        {
            return "it does not speak TLS"
        }
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "no authority that is known vouches for its certificate"
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "it does not speak TLS" }
        return plain(text)
    }

    private static func plain(_ text: String) -> String { shown(text, limit: 200) }

    /// As a person reads it.
    func error(url: HTTPURL) -> RegistryError {
        switch self {
        case .unconnected(let reason), .broken(let reason): .unreachable(url: url.origin.description, reason: reason)
        case .untrusted(let reason): .untrusted(url: url.origin.description, reason: reason)
        }
    }
}
