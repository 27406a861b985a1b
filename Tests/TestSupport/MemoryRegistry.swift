import Foundation
import Synchronization

/// A registry that keeps everything in memory, believes what it is told, and remembers what it was asked: for tests of what is
/// moved and what is not.
public final class MemoryRegistry: Sendable {
    private struct Contents: Sendable {
        var blobs: [String: [UInt8]] = [:]
        /// By tag or digest, of all repositories.
        var manifests: [String: (type: String, bytes: [UInt8])] = [:]
    }

    private let server: HTTPDouble
    private let shared: Shared
    private let seen = Mutex(0)

    public init() throws {
        let shared = Shared()
        self.shared = shared
        server = try HTTPDouble { request in shared.contents.withLock { Self.answer(request, &$0) } }
    }

    private final class Shared: Sendable { let contents = Mutex(Contents()) }

    /// The digests of all blobs.
    public var blobs: [String] { shared.contents.withLock { $0.blobs.keys.sorted() } }

    /// Loses a blob.
    public func lose(blob digest: String) { shared.contents.withLock { $0.blobs[digest] = nil } }

    /// Loses what a tag stands for.
    public func lose(manifest tag: String) { shared.contents.withLock { $0.manifests[tag] = nil } }

    /// `127.0.0.1:PORT`.
    public var host: String { server.host }

    /// What was asked since this was last called, as `GET blobs/sha256:…` and `PUT manifests/1.0`.
    public func takeRequests() -> [String] {
        let all = server.requests
        let start = seen.withLock { seen in
            defer { seen = all.count }
            return seen
        }
        return all[start...].map { request in
            let parts = request.path.split(separator: "/")
            let first = parts.firstIndex { $0 == "blobs" || $0 == "manifests" } ?? parts.startIndex
            return "\(request.method) \(parts[first...].joined(separator: "/"))"
        }
    }

    private static func answer(_ request: HTTPDouble.Request, _ contents: inout Contents) -> HTTPDouble.Reply {
        let parts = request.path.split(separator: "/").map(String.init)
        guard let kind = parts.firstIndex(where: { $0 == "blobs" || $0 == "manifests" }), kind + 1 < parts.count else {
            return .init(request.path == "/v2/" ? 200 : 404)
        }
        let name = parts[kind + 1]
        switch (request.method, parts[kind]) {
        case ("GET", "manifests"), ("HEAD", "manifests"):
            guard let found = contents.manifests[name] else { return .init(404) }
            return .init(200, [("Content-Type", found.type)], found.bytes)
        case ("PUT", "manifests"):
            contents.manifests[name] = (request.headers["content-type"] ?? "", request.body)
            return .init(201)
        case ("GET", "blobs"), ("HEAD", "blobs"):
            return contents.blobs[name].map { .init(200, [], $0) } ?? .init(404)
        case ("POST", "blobs"): return .init(202, [("Location", request.path + "session")])
        case ("PUT", "blobs"):
            guard let digest = request.query.removingPercentEncoding, digest.hasPrefix("digest=") else {
                return .init(400)
            }
            contents.blobs[String(digest.dropFirst("digest=".count))] = request.body
            return .init(201)
        default: return .init(405)
        }
    }
}
