/// The digest of a layer's *uncompressed* tar (image-spec, config.md, Layer DiffID).
///
/// A type of its own, so that it cannot be taken for the digest of the compressed blob that a manifest names.
public struct DiffID: Hashable, Sendable, Codable, CustomStringConvertible {
    public let digest: Digest

    public init(_ digest: Digest) { self.digest = digest }

    public init(from decoder: any Decoder) throws { digest = try Digest(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try digest.encode(to: encoder) }

    public var description: String { digest.description }
}

/// The identity of a stack of layers (image-spec, config.md, Layer ChainID).
public struct ChainID: Hashable, Sendable, CustomStringConvertible {
    public let digest: Digest

    /// The ChainID of `layers` applied in order, the base first; nil without layers.
    public init?(of layers: [DiffID]) {
        guard let first = layers.first else { return nil }
        digest = layers.dropFirst().reduce(first.digest) { below, layer in
            Digest(hashing: Array("\(below) \(layer)".utf8))
        }
    }

    public var description: String { digest.description }
}
