import Digests
public import OCI

/// A manifest or index as a registry gave it: its bytes, and what they are.
public struct RemoteManifest: Hashable, Sendable {
    public enum Document: Hashable, Sendable {
        case manifest(Manifest)
        case index(ImageIndex)
    }

    /// Media type, the digest that was computed, and the size.
    public let descriptor: Descriptor
    public let bytes: [UInt8]
    public let document: Document

    /// - Parameters:
    ///   - declared: the type that whoever names the document gives it; it has to be what the document says of itself.
    ///   - what: for messages.
    /// - Throws: ``RegistryError/malformedDocument(name:_:)``.
    init(_ bytes: [UInt8], declared: MediaType?, what: String) throws(RegistryError) {
        do throws(OCIError) {
            let inner = try JSONValue(parsing: bytes)["mediaType"]?.string.map { (text) throws(OCIError) in
                try MediaType(parsing: text)
            }
            guard let type = declared ?? inner, inner == nil || inner == type else {
                throw OCIError.ambiguousDocument(field: "mediaType")
            }
            if type.isIndex {
                document = .index(try ImageIndex(parsing: bytes))
            } else if type.isManifest {
                document = .manifest(try Manifest(parsing: bytes))
            } else {
                throw OCIError.invalidValue(
                    field: "mediaType", value: type.text, expected: "that of an image manifest or index")
            }
            descriptor = Descriptor(mediaType: type, of: bytes)
            self.bytes = bytes
        } catch {
            throw .malformedDocument(name: what, error)
        }
    }

    /// A document as an answer has it.
    ///
    /// - Parameters:
    ///   - type: the value of `Content-Type`, and `claimed` that of `Docker-Content-Digest`.
    ///   - reference: what was asked for.
    /// - Throws: ``RegistryError/malformedDocument(name:_:)``, ``RegistryError/digestMismatch(what:expected:actual:)``.
    init(
        _ bytes: [UInt8], type: String?, claimed: String?, reference: String, what: String
    ) throws(RegistryError) {
        let declared = type.flatMap { try? MediaType(parsing: Repository.essence(of: $0)) }
        try self.init(bytes, declared: declared.flatMap { $0.isIndex || $0.isManifest ? $0 : nil }, what: what)
        let actual = Digest(hashing: bytes)
        // The tag's digest is what was computed. One that is claimed may only agree.
        for text in [reference, claimed ?? ""] {
            if let expected = try? Digest(parsing: text), expected != actual {
                throw .digestMismatch(what: what, expected: expected, actual: actual)
            }
        }
    }

    /// Whether it is a manifest, of an image that is about nothing else.
    var isWholeImage: Bool { if case .manifest = document { subject == nil } else { false } }

    /// What the document is about, where it is an artifact of another.
    var subject: Descriptor? {
        switch document {
        case .manifest(let manifest): manifest.subject
        case .index(let index): index.subject
        }
    }
}

extension Repository {
    /// The types that are understood, as headers.
    static let accepted: [(name: String, value: String)] = [
        MediaType.imageManifest, .imageIndex, .dockerManifest, .dockerManifestList,
    ].map { ("Accept", $0.text) }

    /// The manifest or index `reference`, a tag or a digest (distribution-spec, end-3). Its digest is computed, never believed.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    public func manifest(_ reference: String) async throws -> RemoteManifest {
        let what = "\(session.registry.authority)/\(name):\(reference)"
        let (bytes, type, claimed) = try await session.persistently {
            let response = try await session.send(
                HTTPRequest(.get, manifestURL(reference), headers: Self.accepted), scopes: pullScope)
            guard response.status == 200 else { throw await session.failure(response, what: what) }
            do {
                let bytes = try await response.bytes(limit: JSONValue.sizeLimit)
                return (bytes, response.header("Content-Type"), response.header("Docker-Content-Digest"))
            } catch let failure as TransportFailure {
                throw TransientFailure(failure, url: response.url)
            }
        }
        return try RemoteManifest(bytes, type: type, claimed: claimed, reference: reference, what: what)
    }

    /// The bytes that `reference` stands for; nil when they cannot be had, for whatever reason: whoever stores meets it again.
    func manifestBytes(_ reference: String) async throws -> [UInt8]? {
        try await session.persistently {
            let response = try await session.send(
                HTTPRequest(.get, manifestURL(reference), headers: Self.accepted), scopes: pushScope)
            guard response.status == 200 else {
                _ = await response.prefix(limit: 16 << 10)
                return nil
            }
            do { return try await response.bytes(limit: JSONValue.sizeLimit) } catch is RegistryError {
                return nil
            } catch let failure as TransportFailure {
                throw TransientFailure(failure, url: response.url)
            }
        }
    }

    /// The manifest or index that `descriptor` names.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    func manifest(_ descriptor: Descriptor) async throws -> RemoteManifest {
        let digest = try descriptor.checkedDigest()
        let found = try await manifest("\(digest)")
        let size = Int64(found.bytes.count)
        guard size == descriptor.size else {
            throw RegistryError.sizeMismatch(what: "\(digest)", expected: descriptor.size, actual: size)
        }
        // The type is what the one who names it says, and the document has to agree (CVE-2021-41190).
        return try RemoteManifest(found.bytes, declared: descriptor.mediaType, what: "\(digest)")
    }

    /// Stores a manifest or index under `reference`, a tag or its digest (end-7a); makes it known as a referrer where it is one.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    func put(_ manifest: RemoteManifest, as reference: String) async throws {
        let what = "the manifest \(name):\(reference)"
        let response = try await session.persistently {
            let request = HTTPRequest(
                .put, manifestURL(reference), headers: [("Content-Type", manifest.descriptor.mediaType.text)],
                body: .bytes(manifest.bytes))
            let response = try await session.send(request, scopes: pushScope)
            guard (200...299).contains(response.status) else { throw await session.failure(response, what: what) }
            return response
        }
        let digest = try manifest.descriptor.checkedDigest()
        if let stored = response.header("Docker-Content-Digest").flatMap({ try? Digest(parsing: $0) }), stored != digest
        {
            throw RegistryError.digestMismatch(what: what, expected: digest, actual: stored)
        }
        if let subject = manifest.subject, response.header("OCI-Subject") == nil {
            try await addToReferrersTag(manifest, of: subject)
        }
    }

    /// A media type without its parameters.
    static func essence(of type: String) -> String {
        String(type.prefix { $0 != ";" }).split(separator: " ").first.map(String.init) ?? ""
    }
}
