public import OCI
public import RegistryProtocol

/// Brings an image from a registry into a layout. Only what was checked has its name there; the image is in the index when all
/// of it is there.
public struct PullImage: Sendable {
    /// What is taken of an index.
    public enum Choice: Hashable, Sendable {
        /// The first image for the platform.
        case platform(Platform)
        /// The index, with all of its images.
        case all
    }

    /// How many images an index, and those in it, may have.
    private static let countLimit = 1000

    private let repository: Repository
    private let layout: LayoutDirectory
    private let choice: Choice
    /// The layers of an image, by its manifest and the bytes of its configuration, that are to be left out, since whoever asks
    /// has them; nil: none.
    public var knownLayers: (@Sendable (Manifest, [UInt8]) throws -> Set<DescriptorDigest>)?

    public init(_ repository: Repository, into layout: LayoutDirectory, _ choice: Choice) {
        self.repository = repository
        self.layout = layout
        self.choice = choice
    }

    /// Pulls `reference`, a tag or digest.
    ///
    /// - Parameter annotations: those of the image in the layout's index.
    /// - Throws: ``RegistryError``, `CancellationError`.
    public func run(
        _ reference: String, annotations: [String: String], _ observer: some TransferObserver = NoObserver()
    ) async throws -> TransferSummary {
        try await run(Self.choose(reference, choice, from: repository), annotations: annotations, observer)
    }

    /// Pulls `top`, which ``choose(_:_:from:)`` gave.
    ///
    /// - Throws: as ``run(_:annotations:_:)``.
    public func run(
        _ top: RemoteManifest, annotations: [String: String], _ observer: some TransferObserver = NoObserver()
    ) async throws -> TransferSummary {
        try await layout.whileLocked {
            var manifests: [RemoteManifest] = []
            try await collect(top, depth: 1, into: &manifests)
            var summary = TransferSummary(manifest: top.descriptor)
            for (blob, outcome) in try await downloadBlobs(of: manifests, observer) {
                summary.count(outcome, size: blob.size)
            }
            for manifest in manifests {
                try layout.add(manifest.bytes, manifest.descriptor.checkedDigest())
            }
            var entry = top.descriptor
            entry.annotations = annotations
            if case .platform(let platform) = choice, case .manifest = top.document { entry.platform = platform }
            try layout.addToIndex(entry)
            return summary
        }
    }

    /// The document that is pulled when `reference` is: what it stands for, or of an index the image for the platform.
    ///
    /// - Throws: ``RegistryError``, `CancellationError`.
    public static func choose(
        _ reference: String, _ choice: Choice, from repository: Repository
    ) async throws -> RemoteManifest {
        try await choose(choice, of: repository.manifest(reference), from: repository, depth: 1)
    }

    private static func choose(
        _ choice: Choice, of found: RemoteManifest, from repository: Repository, depth: Int
    ) async throws -> RemoteManifest {
        guard case .platform(let wanted) = choice, case .index(let index) = found.document else { return found }
        guard let entry = index.manifests.first(where: { $0.platform.map(wanted.accepts) ?? false }) else {
            // An index of one image that does not say for what is an image with a cover.
            if index.manifests.count == 1, let only = index.manifests.first, only.platform == nil,
                depth < PushLayout.depthLimit
            {
                return try await choose(choice, of: repository.manifest(only), from: repository, depth: depth + 1)
            }
            let offered = index.manifests.prefix(20).compactMap { $0.platform?.description }
            throw RegistryError.noPlatform(wanted, offered: offered)
        }
        guard depth < PushLayout.depthLimit else {
            throw RegistryError.malformedDocument(name: "\(entry.digest)", .ambiguousDocument(field: "manifests"))
        }
        return try await choose(choice, of: repository.manifest(entry), from: repository, depth: depth + 1)
    }

    private func collect(_ document: RemoteManifest, depth: Int, into all: inout [RemoteManifest]) async throws {
        if case .index(let index) = document.document {
            guard depth < PushLayout.depthLimit else {
                throw RegistryError.malformedDocument(
                    name: "\(document.descriptor.digest)", .ambiguousDocument(field: "manifests"))
            }
            for entry in index.manifests where !all.contains(where: { $0.descriptor.digest == entry.digest }) {
                try await collect(repository.manifest(entry), depth: depth + 1, into: &all)
            }
        }
        guard all.count < Self.countLimit else {
            throw RegistryError.malformedResponse(
                what: "the index \(repository.name)", reason: "it has more than \(Self.countLimit) images")
        }
        all.append(document)
    }

    private func downloadBlobs(
        of manifests: [RemoteManifest], _ observer: some TransferObserver
    ) async throws -> [(Descriptor, TransferOutcome)] {
        let blobs = RemoteManifest.blobs(of: manifests)
        guard let knownLayers else { return try await download(blobs, observer) }
        // They say what the layers are.
        let configurations = blobs.filter(\.mediaType.isConfiguration)
        let first = try await download(configurations, observer)
        var known: Set<DescriptorDigest> = []
        var wanted = Set(configurations.map(\.digest))
        for case .manifest(let manifest) in manifests.map(\.document) {
            var layers = Set(manifest.layers.map(\.digest))
            if manifest.config.mediaType.isConfiguration {
                let found = try knownLayers(manifest, layout.document(manifest.config))
                known.formUnion(found)
                layers.subtract(found)
            }
            // What one image needs is fetched, whatever another says of it.
            wanted.formUnion(layers)
        }
        known.subtract(wanted)
        var left: [Descriptor] = []
        var leftOut: [(Descriptor, TransferOutcome)] = []
        for blob in blobs.dropping(configurations) {
            // What is in the layout anyway is checked, and counted as there.
            if try known.contains(blob.digest) && layout.blob(blob) == nil {
                observer.transfer(blob, .ended(.known))
                leftOut.append((blob, .known))
            } else {
                left.append(blob)
            }
        }
        return try await first + leftOut + download(left, observer)
    }

    private func download(
        _ blobs: [Descriptor], _ observer: some TransferObserver
    ) async throws -> [(Descriptor, TransferOutcome)] {
        try await inParallel(blobs, jobs: repository.options.jobs) { blob in
            let outcome = try await repository.download(blob, into: layout, observer)
            observer.transfer(blob, .ended(outcome))
            return (blob, outcome)
        }
    }
}

extension [Descriptor] {
    fileprivate func dropping(_ others: [Descriptor]) -> [Descriptor] {
        let digests = Set(others.map(\.digest))
        return filter { !digests.contains($0.digest) }
    }
}
