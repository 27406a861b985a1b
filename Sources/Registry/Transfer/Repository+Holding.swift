import OCI
public import RegistryProtocol

extension Repository {
    /// Whether `reference` stands for `manifest` here, and all blobs that it names are there: then a push of it has nothing to do.
    ///
    /// - Parameter bytes: of an image's manifest.
    /// - Returns: what such a push did; nil when it has something to do, or it is not seen from here what.
    /// - Throws: ``RegistryError``, `CancellationError`.
    public func holds(_ bytes: [UInt8], as reference: String) async throws -> TransferSummary? {
        guard let manifest = try? RemoteManifest(bytes, declared: nil, what: "a manifest"), manifest.isWholeImage,
            try await manifestBytes(reference) == bytes, try await hasAll(RemoteManifest.blobs(of: [manifest]))
        else { return nil }
        return TransferSummary(present: manifest)
    }

    /// Whether the registry has all of `blobs`.
    ///
    /// A connection takes three times as long to be made as a question takes to be answered on one that is there (TCP, TLS, the
    /// question), so that each asks for three blobs at least.
    func hasAll(_ blobs: [Descriptor]) async throws -> Bool {
        try await inParallel(blobs, jobs: min(options.jobs, (blobs.count + 2) / 3)) { try await has($0) }
            .allSatisfy { $0 }
    }
}
