internal import AsyncHTTPClient
import Digests
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
import RegistryProtocol
import Synchronization

/// Sends requests as they are and gives answers as they come: no redirection followed, no attempt repeated, no credential added.
final class HTTPTransport: Sendable {
    private let registryHost: String
    private let registryTLS: TLSConfiguration
    private let otherTLS: TLSConfiguration
    private let proxies: ProxySettings
    private let verifiesRegistry: Bool
    private let clients = Mutex<[Way: HTTPClient]>([:])
    /// One thread moves all bytes: others hash, compress and write them. Each further one costs a connection of its own its start.
    private static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// Whom a client speaks to, and how.
    private struct Way: Hashable {
        var origin: Origin
        var proxy: ProxySettings.Server?
    }

    /// - Throws: ``RegistryError/unusableFile(path:reason:)``.
    init(registryHost: String, security: ConnectionSecurity, proxies: ProxySettings) throws(RegistryError) {
        self.registryHost = registryHost
        self.proxies = proxies
        verifiesRegistry = security.verifies
        registryTLS = try security.registryConfiguration()
        otherTLS = try security.otherConfiguration()
    }

    /// Sends `request` and waits for the head of the answer.
    ///
    /// - Throws: ``TransportFailure``, `CancellationError`.
    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        var outgoing = HTTPClientRequest(url: request.url.description)
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        // Bytes are hashed as they come; nothing is to unpack them on the way.
        outgoing.headers.add(name: "Accept-Encoding", value: "identity")
        outgoing.headers.add(name: "User-Agent", value: "layerfs")
        switch request.body {
        case .none: break
        case .bytes(let bytes): outgoing.body = .bytes(ByteBuffer(bytes: bytes))
        case .file(let pieces):
            outgoing.body = .stream(pieces, length: .known(pieces.range.upperBound - pieces.range.lowerBound))
        }
        if request.url.origin.isSecure {
            outgoing.tlsConfiguration = request.url.origin.host == registryHost ? registryTLS : otherTLS
        }
        let client = client(for: request.url.origin)
        do {
            let answer = try await client.execute(outgoing, deadline: .distantFuture)
            return HTTPResponse(url: request.url, answer)
        } catch {
            try Task.checkCancellation()
            throw TransportFailure(error)
        }
    }

    /// Closes all connections. Nothing can be sent afterwards.
    func shutdown() async {
        let all = clients.withLock { $0.values.map { $0 } }
        for client in all { try? await client.shutdown() }
    }

    private func client(for origin: Origin) -> HTTPClient {
        let way = Way(origin: origin, proxy: proxies.server(for: origin))
        return clients.withLock { clients in
            if let client = clients[way] { return client }
            var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
            configuration.timeout.connect = .seconds(15)
            // Of silence, not of the whole.
            configuration.timeout.read = .seconds(90)
            configuration.timeout.write = .seconds(90)
            configuration.connectionPool.retryConnectionEstablishment = false
            // One connection for each blob: a lost one hurts one blob.
            configuration.httpVersion = .http1Only
            if origin.isSecure, verifiesRegistry || origin.host != registryHost {
                let identity = PeerIdentity(host: origin.host)
                configuration.http1_1ConnectionDebugInitializer = { identity.check($0) }
            }
            configuration.proxy = way.proxy.map { server in
                if server.kind == .socks { return .socksServer(host: server.host, port: server.port) }
                let authorization: HTTPClient.Authorization? =
                    if case .password(let user, let password)? = server.credential {
                        .basic(username: user, password: password)
                    } else { nil }
                return .server(host: server.host, port: server.port, authorization: authorization)
            }
            let client = HTTPClient(eventLoopGroupProvider: .shared(Self.loops), configuration: configuration)
            clients[way] = client
            return client
        }
    }
}

/// A request that can be sent more than once.
struct HTTPRequest: Sendable {
    enum Method: String, Sendable {
        case get = "GET", head = "HEAD", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE"
    }

    enum Body: Sendable {
        case none
        case bytes([UInt8])
        case file(FilePieces)
    }

    var method: Method
    var url: HTTPURL
    var headers: [(name: String, value: String)] = []
    var body = Body.none

    init(_ method: Method, _ url: HTTPURL, headers: [(name: String, value: String)] = [], body: Body = .none) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// The head of an answer, and its body as it comes.
struct HTTPResponse: Sendable {
    let url: HTTPURL
    let status: Int
    private let headers: HTTPHeaders
    private let body: HTTPClientResponse.Body

    init(url: HTTPURL, _ response: HTTPClientResponse) {
        self.url = url
        status = Int(response.status.code)
        headers = response.headers
        body = response.body
    }

    func header(_ name: String) -> String? { headers.first(name: name) }
    func headers(_ name: String) -> [String] { headers[name] }

    /// In bytes; nil where it is not told.
    var contentLength: Int64? { header("Content-Length").flatMap { Int64($0) } }

    /// The whole body.
    ///
    /// - Throws: ``RegistryError/malformedResponse(what:reason:)`` when it is longer than `limit`; ``TransportFailure`` when it
    ///   ends early; `CancellationError`.
    func bytes(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await forEachPiece { piece in
            guard bytes.count + piece.count <= limit else {
                throw RegistryError.malformedResponse(
                    what: url.redacted, reason: "it is longer than the \(limit) bytes that are allowed")
            }
            bytes.append(contentsOf: piece)
        }
        return bytes
    }

    /// As much of the body as fits into `limit`; errors end it as well. For messages.
    func prefix(limit: Int) async -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await buffer in body {
                bytes.append(contentsOf: buffer.readableBytesView.prefix(limit - bytes.count))
                if bytes.count >= limit { break }
            }
        } catch {}
        return bytes
    }

    /// Calls `consume` with the body, piece by piece.
    ///
    /// - Throws: ``TransportFailure``, `CancellationError`, what `consume` throws.
    func forEachPiece(_ consume: (UnsafeRawBufferPointer) throws -> Void) async throws {
        var iterator = body.makeAsyncIterator()
        while true {
            let next: ByteBuffer?
            do { next = try await iterator.next() } catch {
                try Task.checkCancellation()
                throw TransportFailure(error)
            }
            guard let next else { return }
            try next.withUnsafeReadableBytes(consume)
        }
    }
}
