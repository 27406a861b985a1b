import Digests
import OCI
import Posix
import Tar

/// Reads the files of a layout or archive, each once, and remembers what they are.
final class FileCheck {
    /// What the bytes of a file are.
    struct Stored {
        var digest: Digest
        var size: UInt64
    }

    /// What a layer's content is; the error when it is none.
    struct Content {
        var diffID: DiffID
        var size: UInt64
    }

    private let files: any ImageFiles
    private let limit: ExpansionLimit
    private let progress: (UInt64) throws -> Void
    private var named: Set<String> = []
    private var stored: [String: Stored] = [:]
    private var contents: [String: Result<Content, any Error>] = [:]

    /// - Parameter progress: called with the number of bytes that were read; what it throws ends the check.
    init(_ files: any ImageFiles, _ limit: ExpansionLimit, progress: @escaping (UInt64) throws -> Void) {
        (self.files, self.limit, self.progress) = (files, limit, progress)
    }

    var count: Int { stored.count }
    var bytes: UInt64 { stored.values.reduce(0) { $0 + $1.size } }

    /// Whether a document named the file, read or not.
    func isNamed(_ name: String) -> Bool { stored[name] != nil || named.contains(name) }

    func hasRead(_ name: String) -> Bool { stored[name] != nil }

    /// The digest and size of the file `name`.
    ///
    /// - Throws: ``TransportError/missing(name:)``, what reading throws.
    func stored(_ name: String) throws -> Stored {
        if let known = stored[name] { return known }
        guard try files.size(of: name) != nil else { throw TransportError.missing(name: name) }
        return try read(name) { _ in }
    }

    /// Digest and size of the file of `descriptor`, compared with what it says.
    func check(_ descriptor: Descriptor) throws {
        let name = try files.blobName(descriptor.sha256())
        named.insert(name)
        if stored[name] == nil, let size = try files.size(of: name), size != UInt64(clamping: descriptor.size) {
            throw TransportError.sizeMismatch(name: name, expected: UInt64(clamping: descriptor.size), actual: size)
        }
        try compare(descriptor, name, try stored(name))
    }

    private func compare(_ descriptor: Descriptor, _ name: String, _ found: Stored) throws {
        let expected = try descriptor.sha256()
        guard found.size == UInt64(clamping: descriptor.size) else {
            throw TransportError.sizeMismatch(
                name: name, expected: UInt64(clamping: descriptor.size), actual: found.size)
        }
        guard found.digest == expected else {
            throw TransportError.digestMismatch(name: name, expected: expected, actual: found.digest)
        }
    }

    /// The document of `descriptor`, its digest and size compared.
    func document(_ descriptor: Descriptor) throws -> (name: String, bytes: [UInt8]) {
        let name = try files.blobName(descriptor.sha256())
        let bytes = try document(name)
        try compare(descriptor, name, try stored(name))
        return (name, bytes)
    }

    /// The document `name`.
    func document(_ name: String) throws -> [UInt8] {
        guard let bytes = try files.document(name) else { throw TransportError.missing(name: name) }
        stored[name] = Stored(digest: Digest(hashing: bytes), size: UInt64(bytes.count))
        return bytes
    }

    /// The content of the layer in the file `name`; the first time it is read to its end, whatever is wrong with it, and its
    /// digest is known after that.
    ///
    /// - Parameter compression: nil for what its first bytes say.
    func content(_ name: String, _ compression: Compression?) throws -> Content {
        if let known = contents[name] { return try known.get() }
        guard try files.size(of: name) != nil else { throw TransportError.missing(name: name) }
        let reader = LayerCheck(limit)
        var failure: (any Error)?
        _ = try read(name) { piece in
            if failure == nil { do { try reader.read(piece) } catch { failure = error } }
        }
        var result = Result<Content, any Error> {
            if let failure { throw failure }
            return try reader.finish()
        }
        // A wrong media type explains whatever else is wrong.
        if let mismatch = reader.mismatch(compression) { result = .failure(mismatch) }
        contents[name] = result
        return try result.get()
    }

    private func read(_ name: String, _ body: (UnsafeRawBufferPointer) -> Void) throws -> Stored {
        var hasher = DigestHasher()
        try files.read(name) { piece in
            hasher.update(piece)
            body(piece)
            try progress(UInt64(piece.count))
        }
        let size = hasher.count
        let found = Stored(digest: hasher.finalize(), size: size)
        stored[name] = found
        return found
    }
}

/// Decompresses one layer, hashes its content and looks at each member; keeps nothing of them.
private final class LayerCheck {
    private let decompressor: Decompressor
    private var decoder = TarDecoder()
    private var hasher = DigestHasher()

    init(_ limit: ExpansionLimit) { decompressor = Decompressor(limit: limit) }

    func read(_ piece: UnsafeRawBufferPointer) throws { try decompressor.decompress(piece, take) }

    /// What is wrong when the bytes are compressed otherwise than `compression`.
    func mismatch(_ compression: Compression?) -> TransportError? {
        guard let compression, let found = decompressor.format, found != compression.format else { return nil }
        return .damagedStream(
            format: compression.rawValue, reason: "its media type says so, but it is \(found.rawValue)", offset: 0)
    }

    func finish() throws -> FileCheck.Content {
        try decompressor.finish(take)
        // Its digest is compared with what the image says.
        try decoder.finish(lacksFilling: true)
        let size = hasher.count
        let copy = hasher
        return FileCheck.Content(diffID: DiffID(copy.finalize()), size: size)
    }

    private func take(_ bytes: UnsafeRawBufferPointer) throws {
        hasher.update(bytes)
        var rest = bytes
        while let event = try decoder.next(&rest) {
            guard case .member(let header) = event else { continue }
            guard case .other = header.kind else {
                _ = try LayerMember(header)
                continue
            }
            throw TransportError.invalidLayer(member: header.name, reason: "is of a type that no image may have")
        }
    }
}
