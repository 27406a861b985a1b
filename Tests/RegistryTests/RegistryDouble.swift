import Digests
import OCI
import Synchronization
import TestSupport

@testable import Registry

/// A small registry that keeps everything in memory, and does wrong what a test tells it to.
final class RegistryDouble: Sendable {
    typealias Request = HTTPDouble.Request
    typealias Reply = HTTPDouble.Reply

    struct Contents: Sendable {
        var blobs: [String: [UInt8]] = [:]
        var manifests: [String: (type: String, bytes: [UInt8])] = [:]
        var uploads: [String: [UInt8]] = [:]
        var knowsReferrers = true
    }

    private final class State: Sendable {
        let contents = Mutex(Contents())
        let fault: @Sendable (Request, inout Contents) -> Reply?

        init(_ fault: @escaping @Sendable (Request, inout Contents) -> Reply?) { self.fault = fault }
    }

    private let state: State
    let server: HTTPDouble

    /// - Parameter fault: asked first; nil leaves the answer to the registry.
    init(
        isIPv6: Bool = false, fault: @escaping @Sendable (Request, inout Contents) -> Reply? = { _, _ in nil }
    ) throws {
        let state = State(fault)
        self.state = state
        server = try HTTPDouble(isIPv6: isIPv6) { request in
            state.contents.withLock { contents in
                state.fault(request, &contents) ?? Self.answer(request, &contents)
            }
        }
    }

    var requests: [Request] { server.requests }
    var host: String { server.host }

    func withContents<Result: Sendable>(_ body: @Sendable (inout Contents) -> Result) -> Result {
        state.contents.withLock { body(&$0) }
    }

    /// An image of one layer, tagged `r:1`.
    func addImage(layer: [UInt8] = Array("layer".utf8)) -> Manifest {
        withContents { $0.addImage(layer: layer) }
    }

    /// As `layerfs` speaks to it: impatient, without pauses.
    func connect<Result>(
        repository: String = "r", credential: Credential? = nil, trusting realms: Set<String> = [],
        _ change: (inout RegistryOptions) -> Void = { _ in }, _ body: (Repository) async throws -> Result
    ) async throws -> Result {
        var options = RegistryOptions()
        options.security.verifies = false
        options.trustedRealms = realms
        options.retry.sleep = { _ in }
        options.retry.attempts = 4
        change(&options)
        return try await RegistryConnection.with(host: host, options, credential: { credential }) {
            try await body(Repository($0, repository))
        }
    }

    private static func answer(_ request: Request, _ contents: inout Contents) -> Reply {
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.count >= 4 else { return Reply(request.path == "/v2/" ? 200 : 404) }
        switch (request.method, parts[2]) {
        case ("GET", "manifests"), ("HEAD", "manifests"):
            guard let found = contents.manifests[parts[3]] else { return Reply(404) }
            return Reply(200, [("Content-Type", found.type)], found.bytes)
        case ("PUT", "manifests"):
            let digest = "\(Digest(hashing: request.body))"
            let type = request.headers["content-type"] ?? ""
            contents.manifests[parts[3]] = (type, request.body)
            contents.manifests[digest] = (type, request.body)
            let subject = contents.knowsReferrers ? (try? Manifest(parsing: request.body))?.subject : nil
            return Reply(
                201, [("Docker-Content-Digest", digest)] + (subject.map { [("OCI-Subject", "\($0.digest)")] } ?? []))
        case ("GET", "blobs") where parts[3] == "uploads":
            guard let upload = contents.uploads[parts[4]] else { return Reply(404) }
            return Reply(204, [("Range", "0-\(max(0, upload.count - 1))"), ("Location", request.path)])
        case ("GET", "blobs"), ("HEAD", "blobs"):
            guard let blob = contents.blobs[parts[3]] else { return Reply(404) }
            guard let range = request.headers["range"], let start = Int(range.dropFirst(6).dropLast()) else {
                return Reply(200, [], blob)
            }
            return Reply(
                206, [("Content-Range", "bytes \(start)-\(blob.count - 1)/\(blob.count)")], Array(blob[start...]))
        case ("POST", "blobs"):
            let name = "u\(contents.uploads.count)"
            contents.uploads[name] = []
            return Reply(202, [("Location", "/v2/r/blobs/uploads/\(name)")])
        case ("PATCH", "blobs"):
            let range = "\(contents.uploads[parts[4]]?.count ?? 0)-"
            guard request.headers["content-range"]?.hasPrefix(range) == true else { return Reply(416) }
            contents.uploads[parts[4]]? += request.body
            let count = contents.uploads[parts[4]]?.count ?? 0
            return Reply(202, [("Location", request.path), ("Range", "0-\(count - 1)")])
        case ("PUT", "blobs"):
            let blob = (contents.uploads[parts[4]] ?? []) + request.body
            let digest = "\(Digest(hashing: blob))"
            guard request.query == "digest=" + HTTPURL.encoded(digest) else { return Reply(400) }
            contents.blobs[digest] = blob
            return Reply(201, [("Location", "/v2/r/blobs/\(digest)")])
        default: return Reply(404)
        }
    }
}

extension RegistryDouble.Contents {
    mutating func addImage(layer: [UInt8]) -> Manifest {
        let config = Array(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8)
        let manifest = Manifest(
            config: Descriptor(mediaType: .imageConfiguration, of: config),
            layers: [Descriptor(mediaType: .layerTar, of: layer)])
        blobs["\(Digest(hashing: config))"] = config
        blobs["\(Digest(hashing: layer))"] = layer
        add(manifest.canonicalBytes, .imageManifest, tag: "1")
        return manifest
    }

    mutating func add(_ bytes: [UInt8], _ type: MediaType, tag: String) {
        manifests[tag] = (type.text, bytes)
        manifests["\(Digest(hashing: bytes))"] = (type.text, bytes)
    }
}
