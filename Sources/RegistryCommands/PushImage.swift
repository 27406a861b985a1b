import Bytes
import OCI
import Registry
import RegistryProtocol

/// Brings an image to a registry, and attaches files to it.
struct PushImage: Sendable {
    /// A file, and what it is.
    struct Artifact: Sendable {
        var path: ByteString
        var type: MediaType
    }

    /// What was done.
    struct Result: Sendable {
        /// Without an image, of the manifest that the tag named.
        var summary: TransferSummary
        /// The manifests of the artifacts.
        var attached: [Descriptor]
    }

    let place: RegistryPlace
    let options: RegistryOptions
    let credentials: CredentialStore
    var mountSources: [String] = []
    var artifacts: [Artifact] = []
    var scratchDirectory: ByteString = "/var/tmp"

    /// Asks the registry which of `blobs` need not be made.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    func settle(_ blobs: [Descriptor]) async throws -> [DescriptorDigest: TransferOutcome] {
        let (host, name, store) = (place.host, place.repository, credentials)
        return try await RegistryConnection.with(
            host: host, options, credential: { try store.credential(host: host, repository: name) }
        ) { try await Repository($0, name).settle(blobs, mountingFrom: mountSources) }
    }

    /// Pushes `image`; without one, only attaches.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    func run(_ image: PushSource.Prepared?, _ observer: some TransferObserver) async throws -> Result {
        let (host, name, store) = (place.host, place.repository, credentials)
        return try await RegistryConnection.with(
            host: host, options, credential: { try store.credential(host: host, repository: name) }
        ) { connection in
            let repository = Repository(connection, name)
            var summary: TransferSummary
            if let image {
                var push = PushLayout(repository, from: image.layout)
                (push.mountSources, push.settled) = (mountSources, image.settled)
                summary = try await push.run(image.image, as: place.manifestName, observer)
            } else {
                summary = TransferSummary(manifest: try await repository.manifest(place.manifestName).descriptor)
            }
            var attached: [Descriptor] = []
            for artifact in artifacts {
                let scratch = try ScratchDirectory(in: scratchDirectory)
                attached.append(
                    try await AttachArtifact(repository).run(
                        artifact.path, as: artifact.type, to: summary.manifest,
                        scratch: LayoutDirectory(making: scratch.layout)))
            }
            return Result(summary: summary, attached: attached)
        }
    }
}
