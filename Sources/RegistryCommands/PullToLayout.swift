import Bytes
import LayerFSKit
import OCI
import Registry

/// Brings an image from a registry into a layout on disk.
struct PullToLayout: Sendable {
    let place: RegistryPlace
    let options: RegistryOptions
    let credentials: CredentialStore
    var choice = PullImage.Choice.platform(HostPlatform.platform)
    /// Which layers are known already, so that they need not be downloaded.
    var knownLayers: (@Sendable (Manifest, [UInt8]) throws -> Set<DescriptorDigest>)?

    /// Pulls into the layout at `path`, which is made where there is none. The image is named in its index as elsewhere: by
    /// its tag, and by its full name.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`. What was checked until then stays, and is not fetched again.
    func run(_ path: ByteString, _ observer: some TransferObserver) async throws -> TransferSummary {
        let (host, name, store) = (place.host, place.repository, credentials)
        let layout = try LayoutDirectory(making: path)
        return try await RegistryConnection.with(
            host: host, options, credential: { try store.credential(host: host, repository: name) }
        ) { connection in
            var pull = PullImage(Repository(connection, name), into: layout, choice)
            pull.knownLayers = knownLayers
            return try await pull.run(place.manifestName, annotations: annotations, observer)
        }
    }

    private var annotations: [String: String] {
        var full = place.reference.qualified
        full.digest = nil
        guard let tag = full.tag else { return [:] }
        return [AnnotationKey.referenceName: tag, AnnotationKey.containerdImageName: full.description]
    }
}
