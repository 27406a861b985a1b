import Digests
import OCI
import Posix
import RegistryProtocol
import SystemPackage

extension Repository {
    /// Downloads the blob `descriptor` into `layout`, checked as it comes; what is there already is not fetched (end-2).
    ///
    /// - Throws: ``RegistryError``, `CancellationError`. What came so far is kept for the next attempt unless it is wrong.
    func download(
        _ descriptor: Descriptor, into layout: LayoutDirectory, _ observer: some TransferObserver
    ) async throws -> TransferOutcome {
        if try layout.holds(descriptor) { return .present }
        let file = try layout.partialFile(for: descriptor)
        var download = BlobDownload(repository: self, descriptor: descriptor, file: file)
        do {
            try await download.run { observer.transfer(descriptor, .reached($0)) }
        } catch let error as SystemError {
            throw RegistryError.layout(path: "\(layout.path)", reason: "\(error)")
        }
        return .downloaded
    }
}

/// One blob on its way here.
private struct BlobDownload {
    let repository: Repository
    let descriptor: Descriptor
    let file: PartialFile
    /// Whether the rest is asked for where something is there; off once that went wrong.
    private var resumes = true

    init(repository: Repository, descriptor: Descriptor, file: PartialFile) {
        self.repository = repository
        self.descriptor = descriptor
        self.file = file
    }

    private var what: String { "the blob \(descriptor.digest)" }

    mutating func run(_ progress: (Int64) -> Void) async throws {
        let session = repository.session
        let digest = try descriptor.checkedDigest()
        // What an earlier run left may be whole, or wrong.
        if file.isComplete, try file.publish() == digest { return }
        if file.isComplete { try file.restart() }
        var mutable = self
        try await session.persistently { try await mutable.attempt(progress) }
        self = mutable
    }

    /// Gets the rest, and checks the whole.
    private mutating func attempt(_ progress: (Int64) -> Void) async throws {
        if !resumes { try file.restart() }
        let wasResumed = file.count > 0
        let headers = wasResumed ? [("Range", "bytes=\(file.count)-")] : []
        let digest = try descriptor.checkedDigest()
        let response = try await repository.session.send(
            HTTPRequest(.get, repository.blobURL(digest), headers: headers), scopes: repository.pullScope)
        try await checkHead(response)
        do {
            try await response.forEachPiece { piece in
                guard Int64(piece.count) <= descriptor.size - file.count else {
                    throw RegistryError.sizeMismatch(
                        what: what, expected: descriptor.size, actual: file.count + Int64(piece.count))
                }
                try file.write(piece)
                progress(file.count)
            }
        } catch let failure as TransportFailure {
            throw TransientFailure(failure, url: response.url)
        } catch let error as RegistryError {
            file.discard()
            throw error
        }
        guard file.isComplete else {
            throw TransientFailure(
                .sizeMismatch(what: what, expected: descriptor.size, actual: file.count))
        }
        let actual = try file.publish()
        guard actual != digest else { return }
        let mismatch = RegistryError.digestMismatch(what: what, expected: digest, actual: actual)
        // Two halves of different blobs: once more, in one piece.
        resumes = false
        if wasResumed { throw TransientFailure(mismatch) }
        file.discard()
        throw mismatch
    }

    /// Makes sure that the body goes on where the file ends.
    private mutating func checkHead(_ response: HTTPResponse) async throws {
        switch response.status {
        case 200:
            if file.count > 0 { try file.restart() }
            if let length = response.contentLength, length != descriptor.size {
                throw RegistryError.sizeMismatch(what: what, expected: descriptor.size, actual: length)
            }
        case 206:
            let range = response.header("Content-Range").flatMap { ByteRanges.contentRange($0) }
            guard file.count > 0, let range, range.range == file.count..<descriptor.size,
                range.total == nil || range.total == descriptor.size
            else {
                resumes = false
                throw TransientFailure(
                    .malformedResponse(what: what, reason: "it is another range than was asked for"))
            }
        case 416:
            resumes = false
            throw TransientFailure(.malformedResponse(what: what, reason: "there is no such range"))
        default: throw await repository.session.failure(response, what: what)
        }
    }
}
