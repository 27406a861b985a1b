import Digests
public import OCI
public import RegistryProtocol

/// Brings an image, or an index of images, from a layout to a registry: what the registry lacks, blobs first, the tag last.
public struct PushLayout: Sendable {
    private let repository: Repository
    private let layout: LayoutDirectory
    /// Repositories of the same registry that may have some of the blobs.
    public var mountSources: [String] = []
    /// What is known of blobs that need not be in the layout; see ``Repository/settle(_:mountingFrom:)``.
    public var settled: [DescriptorDigest: TransferOutcome] = [:]

    /// How deep an index may name further indexes.
    static let depthLimit = 8

    public init(_ repository: Repository, from layout: LayoutDirectory) {
        self.repository = repository
        self.layout = layout
    }

    /// Pushes what `root` names.
    ///
    /// - Parameter reference: a tag, or the digest of the root.
    /// - Throws: ``RegistryError``, `CancellationError`. Without the last step the registry shows nothing of it.
    public func run(
        _ root: Descriptor, as reference: String, _ observer: some TransferObserver = NoObserver()
    ) async throws -> TransferSummary {
        if let digest = try? Digest(parsing: reference), try root.checkedDigest() != digest {
            throw RegistryError.digestMismatch(
                what: "the image to be pushed", expected: digest, actual: try root.checkedDigest())
        }
        var manifests: [RemoteManifest] = []
        try collect(root, depth: 1, into: &manifests)
        var summary = TransferSummary(manifest: root)
        if let top = manifests.last, try await isStored(top, manifests, as: reference) {
            for blob in RemoteManifest.blobs(of: manifests) { summary.count(.present, size: blob.size) }
            return summary
        }
        for (blob, outcome) in try await uploadBlobs(of: manifests, observer) {
            summary.count(outcome, size: blob.size)
        }
        for manifest in manifests.dropLast() {
            try await repository.put(manifest, as: "\(manifest.descriptor.digest)")
        }
        if let top = manifests.last { try await repository.put(top, as: reference) }
        return summary
    }

    /// Whether `reference` names `top` already, with all that it names: a registry that took a manifest had its blobs, and may
    /// have lost one. Of artifacts it is not asked, since who refers to what may be noted elsewhere.
    private func isStored(
        _ top: RemoteManifest, _ manifests: [RemoteManifest], as reference: String
    ) async throws -> Bool {
        guard manifests.allSatisfy({ $0.subject == nil }), try await repository.manifestBytes(reference) == top.bytes
        else { return false }
        return try await repository.hasAll(RemoteManifest.blobs(of: manifests).filter { settled[$0.digest] == nil })
    }

    /// The documents below `descriptor` and it itself, last.
    private func collect(_ descriptor: Descriptor, depth: Int, into all: inout [RemoteManifest]) throws(RegistryError) {
        let what = "\(layout.path)/\(descriptor.digest)"
        let document = try RemoteManifest(layout.document(descriptor), declared: descriptor.mediaType, what: what)
        if case .index(let index) = document.document {
            guard depth < Self.depthLimit else {
                throw .malformedDocument(name: what, .ambiguousDocument(field: "manifests"))
            }
            for entry in index.manifests where !all.contains(where: { $0.descriptor.digest == entry.digest }) {
                try collect(entry, depth: depth + 1, into: &all)
            }
        }
        all.append(document)
    }

    private func uploadBlobs(
        of manifests: [RemoteManifest], _ observer: some TransferObserver
    ) async throws -> [(Descriptor, TransferOutcome)] {
        let blobs = RemoteManifest.blobs(of: manifests)
        return try await inParallel(blobs, jobs: repository.options.jobs) { blob in
            if let outcome = settled[blob.digest] { return (blob, outcome) }
            let outcome = try await repository.upload(blob, from: layout, mountingFrom: mountSources, observer)
            observer.transfer(blob, .ended(outcome))
            return (blob, outcome)
        }
    }
}

/// Does `body` for all elements, `jobs` of them at a time; the first failure ends the rest.
func inParallel<Element: Sendable, Result: Sendable>(
    _ elements: [Element], jobs: Int, _ body: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var results = [Result?](repeating: nil, count: elements.count)
        var next = 0
        func start() {
            guard next < elements.count else { return }
            let (index, element) = (next, elements[next])
            group.addTask { (index, try await body(element)) }
            next += 1
        }
        for _ in 0..<max(1, jobs) { start() }
        while let (index, result) = try await group.next() {
            results[index] = result
            start()
        }
        return results.compactMap { $0 }
    }
}
