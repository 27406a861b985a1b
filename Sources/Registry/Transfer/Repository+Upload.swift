import Digests
public import OCI
import Posix
public import RegistryProtocol
import Synchronization
import SystemPackage

extension Repository {
    /// Whether the registry has the blob (end-2, HEAD).
    func has(_ descriptor: Descriptor) async throws -> Bool {
        let digest = try descriptor.checkedDigest()
        return try await session.persistently {
            let response = try await session.send(HTTPRequest(.head, blobURL(digest)), scopes: pushScope)
            switch response.status {
            case 200, 404:
                // The next question can be asked on the same connection.
                await session.finish(response)
                return response.status == 200
            default: throw await session.failure(response, what: "the question for the blob \(digest)")
            }
        }
    }

    /// Which of `blobs` the registry has, or links from one of the repositories `sources`, so that their bytes are not needed.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    public func settle(
        _ blobs: [Descriptor], mountingFrom sources: [String]
    ) async throws -> [DescriptorDigest: TransferOutcome] {
        let found = try await inParallel(blobs, jobs: options.jobs) { blob -> (DescriptorDigest, TransferOutcome?) in
            (blob.digest, try await settle(blob, sources))
        }
        return Dictionary(found.compactMap { digest, outcome in outcome.map { (digest, $0) } }) { first, _ in first }
    }

    private func settle(_ blob: Descriptor, _ sources: [String]) async throws -> TransferOutcome? {
        if try await has(blob) { return .present }
        for source in sources where source != name {
            if try await mount(blob.checkedDigest(), from: source) { return .mounted }
        }
        return nil
    }

    /// Brings the blob `descriptor` to the registry in the cheapest way: it is there, it is linked from one of the repositories
    /// `sources` (end-11), or it is uploaded.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    func upload(
        _ descriptor: Descriptor, from layout: LayoutDirectory, mountingFrom sources: [String],
        _ observer: some TransferObserver
    ) async throws -> TransferOutcome {
        let digest = try descriptor.checkedDigest()
        if let outcome = try await settle(descriptor, sources) { return outcome }
        // Nothing is sent that is not what it should be, whatever the registry checks.
        guard try layout.holds(descriptor), let file = try layout.blob(descriptor) else {
            throw RegistryError.missingBlob(digest: "\(digest)")
        }
        let upload = BlobUpload(repository: self, digest: digest, size: descriptor.size, file: file) {
            observer.transfer(descriptor, .reached($0))
        }
        try await session.persistently {
            // A session that broke may be of no use: each attempt begins one, but for chunks, which go on in theirs.
            try await upload.run()
        }
        return .uploaded
    }

    /// Asks the registry to link a blob of another of its repositories.
    ///
    /// - Returns: false when it does not; then the blob has to be uploaded.
    private func mount(_ digest: Digest, from source: String) async throws -> Bool {
        let url = url("blobs/uploads/").appending([("mount", "\(digest)"), ("from", source)])
        let response = try await session.persistently {
            try await session.send(
                HTTPRequest(.post, url, headers: [("Content-Length", "0")]),
                scopes: pushScope + ["repository:\(source):pull"])
        }
        if response.status == 202, let location = response.header("Location") {
            // It began an upload that nobody asked for.
            await cancel(location, of: response)
        }
        return response.status == 201
    }

    /// Gives an upload up (end-14); that it cannot be is no harm.
    private func cancel(_ location: String, of response: HTTPResponse) async {
        guard let url = try? response.url.resolving(location), url.origin == session.registry else { return }
        _ = try? await session.send(HTTPRequest(.delete, url), scopes: pushScope)
    }
}

/// One blob on its way to a registry.
private struct BlobUpload: Sendable {
    let repository: Repository
    let digest: Digest
    let size: Int64
    let file: SharedDescriptor
    let progress: @Sendable (Int64) -> Void

    private var session: RegistrySession { repository.session }
    private var what: String { "the upload of \(digest)" }

    func run() async throws {
        let start = try await begin()
        let chunkSize = max(start.leastChunk, repository.options.chunkSize)
        let end = size > chunkSize ? try await sendChunks(to: start.location, chunkSize) : start.location
        try await finish(at: end, sending: size > chunkSize ? size..<size : 0..<size)
    }

    /// Begins an upload (end-4a).
    private func begin() async throws -> (location: HTTPURL, leastChunk: Int64) {
        let response = try await session.send(
            HTTPRequest(.post, repository.url("blobs/uploads/"), headers: [("Content-Length", "0")]),
            scopes: repository.pushScope)
        guard response.status == 202 else { throw await session.failure(response, what: what) }
        let least = response.header("OCI-Chunk-Min-Length").flatMap { Int64($0) } ?? 0
        return (try location(response), max(0, least))
    }

    /// Where the upload goes on: only ever at the registry itself.
    private func location(_ response: HTTPResponse) throws(RegistryError) -> HTTPURL {
        guard let text = response.header("Location") else {
            throw .malformedResponse(what: what, reason: "it does not say where to")
        }
        let url = try response.url.resolving(text)
        guard url.origin == session.registry else {
            throw .refusedUploadLocation(from: session.registry.description, to: url.origin.description)
        }
        return url
    }

    /// Sends `range` of the file, and with it the digest: the upload is done (end-6).
    private func finish(at location: HTTPURL, sending range: Range<Int64>) async throws {
        var request = HTTPRequest(.put, location.appending([("digest", "\(digest)")]))
        request.headers = [("Content-Type", "application/octet-stream")]
        request.body = range.isEmpty ? .bytes([]) : .file(FilePieces(file: file, range: range, progress: progress))
        let response = try await session.send(request, scopes: repository.pushScope)
        guard response.status == 201 || response.status == 204 else {
            throw await session.failure(response, what: what)
        }
        if let stored = response.header("Docker-Content-Digest").flatMap({ try? Digest(parsing: $0) }), stored != digest
        {
            throw RegistryError.digestMismatch(what: what, expected: digest, actual: stored)
        }
    }

    /// Sends the file chunk by chunk (end-5). A chunk that is lost is sent again from where the registry says it stands.
    ///
    /// - Returns: where the upload is to be finished.
    private func sendChunks(to start: HTTPURL, _ chunkSize: Int64) async throws -> HTTPURL {
        let place = Mutex((location: start, sent: Int64(0), isUnsure: false))
        while place.withLock({ $0.sent }) < size {
            try await session.persistently {
                if place.withLock({ $0.isUnsure }) {
                    let now = try await standing(at: place.withLock { $0.location })
                    place.withLock { $0 = (now.location, now.received, false) }
                    if now.received >= size { return }
                }
                let (location, sent, _) = place.withLock { $0 }
                let range = sent..<min(sent + chunkSize, size)
                do {
                    let next = try await send(range, to: location)
                    place.withLock { $0 = (next, range.upperBound, false) }
                } catch {
                    place.withLock { $0.isUnsure = true }
                    throw error
                }
            }
        }
        return place.withLock { $0.location }
    }

    private func send(_ range: Range<Int64>, to location: HTTPURL) async throws -> HTTPURL {
        var request = HTTPRequest(.patch, location)
        request.headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Range", "\(range.lowerBound)-\(range.upperBound - 1)"),
        ]
        request.body = .file(FilePieces(file: file, range: range, progress: progress))
        let response = try await session.send(request, scopes: repository.pushScope)
        switch response.status {
        case 202, 204:
            if let text = response.header("Range"), let received = ByteRanges.received(text),
                received != range.upperBound, received != 0
            {
                throw TransientFailure(
                    .malformedResponse(what: what, reason: "it has \(received) bytes instead of \(range.upperBound)"))
            }
            return try self.location(response)
        case 416:
            // It stands elsewhere than we thought.
            throw TransientFailure(.malformedResponse(what: what, reason: "the chunks are out of order"))
        default: throw await session.failure(response, what: what)
        }
    }

    /// Asks how much has arrived (end-13).
    private func standing(at location: HTTPURL) async throws -> (location: HTTPURL, received: Int64) {
        let response = try await session.send(HTTPRequest(.get, location), scopes: repository.pushScope)
        guard response.status == 204 || response.status == 200 else {
            throw await session.failure(response, what: what)
        }
        let received = response.header("Range").flatMap { ByteRanges.received($0) } ?? 0
        guard received <= size else {
            throw RegistryError.malformedResponse(what: what, reason: "it has more bytes than the blob")
        }
        progress(received)
        return (response.header("Location") == nil ? location : try self.location(response), received)
    }
}
