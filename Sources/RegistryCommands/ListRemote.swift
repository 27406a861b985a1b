import OCI
import Registry
import RegistryProtocol

/// Says what a registry has, without fetching it.
struct ListRemote: Sendable {
    /// A document of the registry.
    struct Item: Codable, Sendable {
        /// `manifest`, `index`, `image` (of an index) or `referrer`.
        var kind: String
        var digest: String
        var size: Int64
        var mediaType: String
        var platform: String?
        var artifactType: String?

        init(_ kind: String, _ descriptor: Descriptor) {
            self.kind = kind
            digest = "\(descriptor.digest)"
            size = descriptor.size
            mediaType = descriptor.mediaType.text
            platform = descriptor.platform?.description
            artifactType = descriptor.artifactType?.text
        }
    }

    let place: RegistryPlace
    let options: RegistryOptions
    let credentials: CredentialStore

    /// - Throws: ``RegistryError``, `CancellationError`.
    func tags() async throws -> [String] { try await connected { try await $0.tags() } }

    /// The manifest that is named, the images of an index, and the referrers.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    func items() async throws -> [Item] {
        try await connected { repository in
            let found = try await repository.manifest(place.manifestName)
            var items: [Item]
            switch found.document {
            case .manifest: items = [Item("manifest", found.descriptor)]
            case .index(let index):
                items = [Item("index", found.descriptor)] + index.manifests.map { Item("image", $0) }
            }
            items += try await repository.referrers(of: found.descriptor.sha256()).map { Item("referrer", $0) }
            return items
        }
    }

    private func connected<Result>(_ body: (Repository) async throws -> Result) async throws -> Result {
        let (host, name, store) = (place.host, place.repository, credentials)
        return try await RegistryConnection.with(
            host: host, options, credential: { try store.credential(host: host, repository: name) }
        ) { try await body(Repository($0, name)) }
    }
}
