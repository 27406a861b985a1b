import Foundation
import Synchronization

/// A server on this machine's own address that answers as a test tells it to, well or badly, and remembers what it was asked.
public final class HTTPDouble: Sendable {
    /// What it was sent.
    public struct Request: Sendable {
        public var method: String
        /// With the query.
        public var target: String
        /// By name in lower case.
        public var headers: [String: String]
        public var body: [UInt8]

        public var path: String { String(target.prefix { $0 != "?" }) }
        public var query: String { String(target.drop { $0 != "?" }.dropFirst()) }
    }

    /// What it answers.
    public struct Reply: Sendable {
        public var status: Int
        public var headers: [(String, String)]
        public var body: [UInt8]
        /// The `Content-Length` that it claims; nil for the true one.
        public var claimedLength: Int?
        /// The body in chunks, without a length.
        public var isChunked = false
        /// Called when all is sent, before the connection is closed.
        public var beforeClosing: @Sendable () -> Void = {}

        public init(_ status: Int, _ headers: [(String, String)] = [], _ body: [UInt8] = []) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    public var port: UInt16 { listener.port }
    /// `127.0.0.1:PORT` or `[::1]:PORT`.
    public var host: String { isIPv6 ? "[::1]:\(port)" : "127.0.0.1:\(port)" }
    private let isIPv6: Bool
    public var requests: [Request] { worker.log.withLock { $0 } }

    private let listener: LocalListener
    private let worker: Worker

    /// Listens until it is let go of.
    public init(isIPv6: Bool = false, _ answer: @escaping @Sendable (Request) -> Reply) throws {
        let worker = Worker(answer)
        self.worker = worker
        self.isIPv6 = isIPv6
        listener = try LocalListener(isIPv6: isIPv6) { worker.serve($0) }
    }
}

/// Serves connections.
private final class Worker: Sendable {
    let log = Mutex<[HTTPDouble.Request]>([])
    private let answer: @Sendable (HTTPDouble.Request) -> HTTPDouble.Reply

    init(_ answer: @escaping @Sendable (HTTPDouble.Request) -> HTTPDouble.Reply) { self.answer = answer }

    /// One request, one answer; then the connection is closed.
    func serve(_ connection: Int32) {
        guard var request = Self.read(connection) else { return }
        log.withLock { $0.append(request) }
        if request.method == "CONNECT" {
            // As a proxy, which is the other end itself.
            let established = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
            LocalSocket.send(established, to: connection)
            guard let inner = Self.read(connection) else { return }
            log.withLock { $0.append(inner) }
            request = inner
        }
        let reply = answer(request)
        var head = "HTTP/1.1 \(reply.status) Scripted\r\nConnection: close\r\n"
        for (name, value) in reply.headers { head += "\(name): \(value)\r\n" }
        if reply.isChunked {
            head += "Transfer-Encoding: chunked\r\n"
        } else {
            head += "Content-Length: \(reply.claimedLength ?? reply.body.count)\r\n"
        }
        var bytes = Array((head + "\r\n").utf8)
        if request.method != "HEAD" {
            bytes += reply.isChunked ? Self.chunked(reply.body) : reply.body
        }
        guard LocalSocket.send(bytes, to: connection) else { return }
        reply.beforeClosing()
        shutdown(connection, Int32(SHUT_WR))
        // Until the client is done, lest a reset takes the answer away from it.
        while LocalSocket.receive(connection) != nil {}
    }

    private static func chunked(_ body: [UInt8]) -> [UInt8] {
        body.isEmpty
            ? Array("0\r\n\r\n".utf8)
            : Array("\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
    }

    private static func read(_ connection: Int32) -> HTTPDouble.Request? {
        var bytes: [UInt8] = []
        let separator = Array("\r\n\r\n".utf8)
        var end: Int?
        while end == nil {
            guard let more = LocalSocket.receive(connection), bytes.count < 1 << 20 else { return nil }
            bytes += more
            // TLS, which this does not speak.
            if bytes.first == 0x16 { return nil }
            end = bytes.indices.first { bytes[$0...].starts(with: separator) }
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ").map(String.init)
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        var body = Array(bytes[(end + 4)...])
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while body.count < length {
            guard let more = LocalSocket.receive(connection) else { return nil }
            body += more
        }
        return HTTPDouble.Request(method: words[0], target: words[1], headers: headers, body: body)
    }
}
