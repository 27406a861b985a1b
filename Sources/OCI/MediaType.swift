/// What a blob is (image-spec, media-types.md). Extensible: an unknown type is a value like any other.
public struct MediaType: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// - Throws: ``OCIError/invalidValue(field:value:expected:)`` unless `text` is `type/subtype` with the characters
    ///   and lengths of RFC 6838, section 4.2.
    public init(parsing text: String) throws(OCIError) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy(Self.isRestrictedName) else {
            throw .invalidValue(field: "", value: text, expected: "a media type (RFC 6838)")
        }
        self.text = text
    }

    private init(_ text: String) { self.text = text }

    public var description: String { text }

    private static func isRestrictedName(_ name: Substring.UTF8View) -> Bool {
        guard let first = name.first, (1...127).contains(name.count), ASCII.isAlphanumeric(first) else { return false }
        return name.allSatisfy { ASCII.isAlphanumeric($0) || "!#$&-^_.+".utf8.contains($0) }
    }

    public static let layoutHeader = MediaType("application/vnd.oci.layout.header.v1+json")
    public static let imageIndex = MediaType("application/vnd.oci.image.index.v1+json")
    public static let imageManifest = MediaType("application/vnd.oci.image.manifest.v1+json")
    public static let imageConfiguration = MediaType("application/vnd.oci.image.config.v1+json")
    public static let layerTar = MediaType("application/vnd.oci.image.layer.v1.tar")
    public static let layerTarGzip = MediaType("application/vnd.oci.image.layer.v1.tar+gzip")
    public static let layerTarZstd = MediaType("application/vnd.oci.image.layer.v1.tar+zstd")
    /// The type of `{}`, where a blob is required and there is nothing to say (manifest.md, Guidance for an Empty
    /// Descriptor).
    public static let empty = MediaType("application/vnd.oci.empty.v1+json")

    public static let dockerManifestList = MediaType("application/vnd.docker.distribution.manifest.list.v2+json")
    public static let dockerManifest = MediaType("application/vnd.docker.distribution.manifest.v2+json")
    public static let dockerConfiguration = MediaType("application/vnd.docker.container.image.v1+json")
    public static let dockerLayerTar = MediaType("application/vnd.docker.image.rootfs.diff.tar")
    public static let dockerLayerTarGzip = MediaType("application/vnd.docker.image.rootfs.diff.tar.gzip")

    // Deprecated, not made by layerfs, and not to be fetched from elsewhere; but read where their bytes are there.
    static let foreignLayers = Set(
        ["", "+gzip", "+zstd"].map { MediaType("application/vnd.oci.image.layer.nondistributable.v1.tar" + $0) }
            + [MediaType("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")])

    /// Whether a blob of this type is the tar of a layer, compressed or not.
    public var isLayer: Bool {
        [.layerTar, .layerTarGzip, .layerTarZstd, .dockerLayerTar, .dockerLayerTarGzip].contains(self)
            || self.isDockerZstd || Self.foreignLayers.contains(self)
    }

    /// The OCI type of what Docker's type means; any other type itself (image-spec, media-types.md, Compatibility Matrix).
    public var asOCI: MediaType {
        switch self {
        case .dockerLayerTar: .layerTar
        case .dockerLayerTarGzip: .layerTarGzip
        case .dockerConfiguration: .imageConfiguration
        case .dockerManifest: .imageManifest
        case .dockerManifestList: .imageIndex
        default: isDockerZstd ? .layerTarZstd : self
        }
    }

    /// Not in any specification, but what engines write when they recompress an image of Docker's types.
    private var isDockerZstd: Bool { text == "application/vnd.docker.image.rootfs.diff.tar.zstd" }

    /// Whether a document of this type is an ``ImageConfiguration``.
    public var isConfiguration: Bool { self == .imageConfiguration || self == .dockerConfiguration }
    /// Whether a document of this type is an ``ImageIndex``.
    public var isIndex: Bool { self == .imageIndex || self == .dockerManifestList }
    /// Whether a document of this type is a ``Manifest``.
    public var isManifest: Bool { self == .imageManifest || self == .dockerManifest }
}

/// Classes of ASCII characters that OCI's grammars use.
enum ASCII {
    static func isLowercaseAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowercaseAlphanumeric(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
