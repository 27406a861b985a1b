public import OCI

/// What became of a blob.
public enum TransferOutcome: String, Hashable, Sendable {
    case uploaded, downloaded
    /// The registry linked it from another repository.
    case mounted
    /// It was there before.
    case present
    /// Whoever asked has it, and does not want it again.
    case known
}

/// What a push or pull moved.
public struct TransferSummary: Hashable, Sendable {
    /// The manifest or index that was named.
    public var manifest: Descriptor
    /// By what became of them.
    public var blobs: [TransferOutcome: Int] = [:]
    /// That went over the network, contents of blobs only.
    public var bytes: Int64 = 0
    /// Of blobs that were known and therefore left out.
    public var knownBytes: Int64 = 0

    /// With nothing moved yet.
    public init(manifest: Descriptor) { self.manifest = manifest }

    /// Of an image that whoever asked for it has.
    public init(known manifest: RemoteManifest) {
        self.init(manifest: manifest.descriptor)
        for blob in RemoteManifest.blobs(of: [manifest]) { count(.known, size: blob.size) }
    }

    /// Of an image that the registry has.
    public init(present manifest: RemoteManifest) {
        self.init(manifest: manifest.descriptor)
        for blob in RemoteManifest.blobs(of: [manifest]) { count(.present, size: blob.size) }
    }

    package mutating func count(_ outcome: TransferOutcome, size: Int64) {
        blobs[outcome, default: 0] += 1
        if outcome == .uploaded || outcome == .downloaded { bytes += size }
        if outcome == .known { knownBytes += size }
    }
}
