public import Digests
public import OCI
public import Trees

/// A layer as it was where it came from: its tar byte for byte, and where it can be, its compressed bytes.
public struct OriginalLayer: Sendable {
    /// Of the tar.
    public var diffID: DiffID
    /// How the tar is made; nil when it is the canonical tar of the layer's entries.
    public var skeleton: Skeleton?
    /// The compressed bytes; nil when they are to be made anew.
    public var blob: Blob?

    public init(diffID: DiffID, skeleton: Skeleton?, blob: Blob?) {
        (self.diffID, self.skeleton, self.blob) = (diffID, skeleton, blob)
    }

    /// What a manifest names.
    public struct Blob: Sendable {
        public var mediaType: MediaType
        public var digest: Digest
        public var size: UInt64
        /// How they are made of the tar; nil when they are a content themselves.
        public var encoding: LayerEncoding?

        public init(mediaType: MediaType, digest: Digest, size: UInt64, encoding: LayerEncoding?) {
            (self.mediaType, self.digest, self.size, self.encoding) = (mediaType, digest, size, encoding)
        }
    }
}

/// The documents of an image as it was where it came from.
public struct OriginalDocuments: Sendable {
    /// nil when it had none.
    public var manifest: (mediaType: MediaType, bytes: [UInt8])?
    public var configuration: [UInt8]

    public init(manifest: (mediaType: MediaType, bytes: [UInt8])?, configuration: [UInt8]) {
        (self.manifest, self.configuration) = (manifest, configuration)
    }
}
