import Bytes
import OCI
import Registry

/// Brings an image from a registry into a layout on disk.
struct PullToLayout: Sendable {
    let place: RegistryPlace
    let options: RegistryOptions
    let credentials: CredentialStore
    var choice = PullImage.Choice.platform(.ofThisMachine)
    /// Whether a blob's content is known already, so that it need not be downloaded.
    var isKnown: @Sendable (Descriptor) throws -> Bool = { _ in false }

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
            pull.isKnown = isKnown
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

extension Platform {
    /// What this program was built for.
    static var ofThisMachine: Platform {
        #if arch(x86_64)
            Platform(architecture: "amd64")
        #elseif arch(arm64)
            Platform(architecture: "arm64")
        #elseif arch(arm)
            Platform(architecture: "arm")
        #elseif arch(i386)
            Platform(architecture: "386")
        #elseif arch(riscv64)
            Platform(architecture: "riscv64")
        #else
            #error("Which platform is this, in Go's words?")
        #endif
    }
}
