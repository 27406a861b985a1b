import Bytes
import LayerFSKit
import OCI
import Registry
import RegistryProtocol

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
    /// - Parameter isThere: asked whether the document that is to be pulled is not needed; then no layout is made.
    /// - Throws: ``RegistryError``, `CancellationError`. What was checked until then stays, and is not fetched again.
    func run(
        _ path: ByteString, unless isThere: (@Sendable (RemoteManifest) async throws -> TransferSummary?)? = nil,
        _ observer: some TransferObserver
    ) async throws -> TransferSummary {
        // A place that somebody chose and that will not do is told of before anybody is asked for anything.
        let chosen = isThere == nil ? try LayoutDirectory(making: path) : nil
        let (host, name, store) = (place.host, place.repository, credentials)
        return try await RegistryConnection.with(
            host: host, options, credential: { try store.credential(host: host, repository: name) }
        ) { connection in
            let repository = Repository(connection, name)
            let top = try await PullImage.choose(place.manifestName, choice, from: repository)
            if let summary = try await isThere?(top) { return summary }
            var pull = PullImage(repository, into: try chosen ?? LayoutDirectory(making: path), choice)
            pull.knownLayers = knownLayers
            return try await pull.run(top, annotations: annotations, observer)
        }
    }

    private var annotations: [String: String] {
        var full = place.reference.qualified
        full.digest = nil
        guard let tag = full.tag else { return [:] }
        return [AnnotationKey.referenceName: tag, AnnotationKey.containerdImageName: full.description]
    }
}
