import Bytes
import ImageTransport
import LayerFSCommands
import LayerFSKit
import LayerStore
import OCI
import Registry
import RegistryProtocol
import Synchronization
import Trees

/// Brings an image from a registry into the store: into a layout of its own, and from there as every import.
struct PullToStore: Sendable {
    let pull: PullToLayout
    var options = ImportOptions()
    /// Where the layout lies meanwhile.
    var scratchDirectory: ByteString = "/var/tmp"

    /// An image that was fetched and not yet imported. The scratch directory lives as long as it.
    struct Fetched: Sendable {
        let summary: TransferSummary
        /// What an import would say, where the store has the image under the name and nothing was fetched.
        var standing: ImportSummary?
        fileprivate let scratch: ScratchDirectory
    }

    /// What was found out about the store's layers while the image was fetched.
    private let findings = KnownLayers.Findings()

    init(pull: PullToLayout) { self.pull = pull }

    /// Fetches the image, but for the layers that the store can give back.
    ///
    /// - Parameter store: opens the store to look at what it has; nil where there is none. It is closed before anything is fetched
    ///   that takes long, so that nobody waits for the network. Without it, all of the image is fetched.
    /// - Throws: ``RegistryError``, `SystemError`, `CancellationError`, what `store` throws.
    func fetch(
        _ observer: some TransferObserver, knowing store: (@Sendable () throws -> Workspace?)?
    ) async throws -> Fetched {
        let scratch = try ScratchDirectory(in: scratchDirectory)
        guard let store else {
            return Fetched(summary: try await pull.run(scratch.layout, observer), scratch: scratch)
        }
        var pull = pull
        let findings = findings
        pull.knownLayers = { manifest, configuration in
            guard let workspace = try store() else { return [] }
            return try Self.known(manifest, configuration, KnownLayers(workspace, findings))
        }
        // Looked at while the registry is asked. What is wrong with the store, is said by whoever needs more of it.
        let name = try name
        let standing = Task { await inBackground { try? store().flatMap { try StandingImage(name, in: $0) } } }
        let found = Mutex<ImportSummary?>(nil)
        let choice = pull.choice
        let summary = try await pull.run(
            scratch.layout,
            unless: { top in
                guard case .platform(let wanted) = choice, let image = await standing.value,
                    image.isPulled(by: top, for: wanted)
                else { return nil }
                found.withLock { $0 = image.summary }
                return TransferSummary(known: top)
            }, observer)
        return Fetched(summary: summary, standing: found.withLock { $0 }, scratch: scratch)
    }

    /// What the image is to be called.
    var name: Name {
        get throws { try options.name ?? pull.place.usualName }
    }

    private static func known(
        _ manifest: Manifest, _ configuration: [UInt8], _ layers: KnownLayers
    ) throws -> Set<DescriptorDigest> {
        // What is wrong with it, the import says.
        guard let diffIDs = try? ImageConfiguration(parsing: configuration).diffIDs,
            diffIDs.count == manifest.layers.count
        else { return [] }
        let known = try zip(manifest.layers, diffIDs).filter { try layers.layer($0, $1) != nil }
        return Set(known.map(\.0.digest))
    }

    /// Whether `error` may come of layers that were left out because the store seemed to have them.
    static func isOfStore(_ error: any Error, _ fetched: Fetched) -> Bool {
        guard fetched.summary.blobs[.known] != nil else { return false }
        return switch error {
        case is TransportError: true
        case LayerStoreError.damagedBlob, LayerStoreError.missingBlob, LayerStoreError.blobElsewhere,
            LayerStoreError.damagedRecord:
            true
        default: false
        }
    }

    /// Hands what was fetched to the import, which verifies all of it and names it.
    ///
    /// - Parameter workspace: opened with `Store.Access.adding`.
    /// - Throws: what `ImportImages` throws.
    func hand(
        _ fetched: Fetched, to workspace: Workspace, progress: ProgressMeter
    ) throws -> [ImportSummary] {
        var options = options
        options.leavingOut = findings
        options.name = try name
        switch pull.choice {
        case .platform(let platform): options.platforms = .only(platform)
        case .all: options.platforms = .all
        }
        return try ImportImages(workspace).run(
            ImageSource(directory: fetched.scratch.layout), named: "\(fetched.summary.manifest.digest)", options,
            progress: progress)
    }
}
