public import Digests
public import OCI
import RegistryProtocol

extension Repository {
    /// What refers to the manifest `digest` as its subject (distribution-spec, Listing Referrers), from the registry's own list or
    /// from the tag that stands in for it.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    public func referrers(of digest: Digest, artifactType: MediaType? = nil) async throws -> [Descriptor] {
        let listed = try await listedReferrers(of: digest)
        let all = if let listed { listed } else { try await taggedReferrers(of: digest).manifests }
        // A registry may filter, or not.
        return all.filter { artifactType == nil || $0.artifactType == artifactType }
    }

    /// nil where the registry knows no such list.
    private func listedReferrers(of digest: Digest) async throws -> [Descriptor]? {
        var next: HTTPURL? = url("referrers/\(digest)")
        var found: [Descriptor] = []
        var pages = 0
        while let page = next {
            pages += 1
            guard pages <= Self.pageLimit else { break }
            let response: (status: Int, bytes: [UInt8], link: String?, type: String) = try await session.persistently {
                let response = try await session.send(
                    HTTPRequest(.get, page, headers: [("Accept", MediaType.imageIndex.text)]), scopes: pullScope)
                guard response.status == 200 else { return (response.status, [], nil, "") }
                do {
                    let bytes = try await response.bytes(limit: JSONValue.sizeLimit)
                    return (200, bytes, response.header("Link"), response.header("Content-Type") ?? "")
                } catch let failure as TransportFailure {
                    throw TransientFailure(failure, url: page)
                }
            }
            // 404, or a page meant for browsers, is a registry without the API.
            guard response.status == 200, RemoteManifest.essence(of: response.type) == MediaType.imageIndex.text else {
                return nil
            }
            do { found += try ImageIndex(parsing: response.bytes).manifests } catch {
                throw RegistryError.malformedDocument(name: page.redacted, error)
            }
            next = try nextPage(response.link, after: page)
        }
        return found
    }

    /// The index under the tag that stands in for the list (Referrers Tag Schema); empty where there is none.
    private func taggedReferrers(of digest: Digest) async throws -> ImageIndex {
        do {
            guard case .index(let index) = try await manifest(Self.referrersTag(digest)).document else {
                throw RegistryError.malformedDocument(
                    name: Self.referrersTag(digest), .ambiguousDocument(field: "manifests"))
            }
            return index
        } catch RegistryError.notFound {
            return ImageIndex()
        }
    }

    /// Adds `manifest` to the index under the tag of its subject; what is there stays.
    func addToReferrersTag(_ manifest: RemoteManifest, of subject: Descriptor) async throws {
        let digest = try subject.checkedDigest()
        var index = try await taggedReferrers(of: digest)
        guard !index.manifests.contains(where: { $0.digest == manifest.descriptor.digest }) else { return }
        var entry = manifest.descriptor
        switch manifest.document {
        case .manifest(let document):
            // The type of the config stands for the artifact's where there is no other (Pushing Manifests with Subject).
            entry.artifactType = document.artifactType ?? document.config.mediaType
            entry.annotations = document.annotations
        case .index(let document):
            entry.artifactType = document.artifactType
            entry.annotations = document.annotations
        }
        index.manifests.append(entry)
        let bytes = index.canonicalBytes
        try await put(RemoteManifest(bytes, declared: .imageIndex, what: "referrers"), as: Self.referrersTag(digest))
    }

    static func referrersTag(_ digest: Digest) -> String { "sha256-" + digest.hexadecimal }

    static let pageLimit = 1000

    /// The page that a `Link` header names; only the registry itself has pages.
    func nextPage(_ link: String?, after page: HTTPURL) throws -> HTTPURL? {
        guard let link, let target = LinkHeader.next(link) else { return nil }
        let next = try page.resolving(target)
        guard next.origin == session.registry else {
            throw RegistryError.refusedRedirect(
                from: page.redacted, to: next.redacted, reason: "a list goes on where it began")
        }
        return next
    }

    /// The repository's tags, in the registry's order (end-8).
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    public func tags() async throws -> [String] {
        var next: HTTPURL? = url("tags/list")
        var tags: [String] = []
        var pages = 0
        while let page = next {
            pages += 1
            guard pages <= Self.pageLimit else { break }
            let (bytes, link) = try await session.persistently {
                let response = try await session.send(HTTPRequest(.get, page), scopes: pullScope)
                guard response.status == 200 else {
                    throw await session.failure(response, what: "the repository \(name)")
                }
                do {
                    return (try await response.bytes(limit: JSONValue.sizeLimit), response.header("Link"))
                } catch let failure as TransportFailure {
                    throw TransientFailure(failure, url: page)
                }
            }
            let document: JSONValue
            do { document = try JSONValue(parsing: bytes) } catch {
                throw RegistryError.malformedDocument(name: page.redacted, error)
            }
            // What is no tag is no tag, whoever says so.
            tags += (document["tags"]?.elements ?? []).compactMap(\.string).filter(Reference.isTag)
            next = try nextPage(link, after: page)
        }
        return tags
    }
}
