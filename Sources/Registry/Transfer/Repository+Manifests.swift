import Digests
import OCI
public import RegistryProtocol

extension Repository {
    /// The types that are understood, as headers.
    static let accepted = RemoteManifest.acceptedTypes.map { (name: "Accept", value: $0.text) }

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
}
