public import Bytes
public import Digests
public import ImageTransport
public import OCI

extension ExportImage {
    /// Where an export goes.
    public enum Target: Hashable, Sendable {
        /// An image layout directory; one that exists is added to.
        case layout(ByteString)
        /// An image layout as one tar, which `docker load` takes as well.
        case archive(ByteString)
        /// The same for `docker load` first of all: only what Docker knows is in it.
        case dockerArchive(ByteString)
        /// The tree itself as one tar.
        case tar(ByteString)

        /// The tree as a cpio archive (newc), which Linux takes as its initramfs.
        case cpio(ByteString)
        /// A directory with a `config.json` and a root of copies, for runc and crun (runtime-spec, bundle.md).
        case bundle(ByteString)
        /// A read-only file system, made by mksquashfs.
        case squashfs(ByteString)
        /// A read-only file system, made by mkfs.erofs.
        case erofs(ByteString)

        /// The path that stands for standard output.
        public static let standardOutput: ByteString = "-"

        public var path: ByteString {
            switch self {
            case .layout(let path), .archive(let path), .dockerArchive(let path), .tar(let path), .cpio(let path),
                .bundle(let path), .squashfs(let path), .erofs(let path):
                path
            }
        }
    }

    /// How the layers of a composition become layers of an image.
    public enum LayerForm: String, Hashable, Sendable, CaseIterable {
        /// One for each, holding only what the stack below lacks.
        case diff
        /// One for each, holding all of it.
        case full
        /// One for all.
        case flat
    }

    /// How an export is made.
    public struct Options: Sendable {
        public var form = LayerForm.diff
        /// nil takes what is usual for the target: gzip for layers of images, none for everything else.
        public var compression: Compression?
        /// One of ``Compression/levels``; nil for the usual one.
        public var compressionLevel: Int?
        /// Merge neighbouring layers until there are no more than this many.
        public var maximumLayers: Int?
        /// Layers as eStargz, from which single files can be fetched.
        public var isStargz = false
        /// Compress layers that were imported anew, instead of giving them back as they were; their tars stay the same.
        public var recompresses = false
        /// Blobs of layers that whoever gets the image has: where one of them is a layer as it was before
        /// (``ExportImage/knownLayers(of:to:_:)``), it is named and neither packed nor written. The layout is not whole then.
        public var leavingOut: Set<Digest> = []
        /// Give ``Result/draft``, so that the same can be known again without being made.
        public var draftsNote = false
        /// The name in the image's index and for `docker load`; nil takes that of the expression.
        public var name: String?
        /// The part of a location after its path; see ``ImageLocation/reference``.
        public var reference: String?
        /// Where an archive for standard output is put together before its first byte is sent, and files without a name are.
        public var scratchDirectory: ByteString = "/var/tmp"
        /// Where mksquashfs and mkfs.erofs are looked for.
        public var searchPath: [ByteString] = []

        public init() {}
    }

    /// What was written.
    public struct Result: Sendable {
        public var target: Target
        /// The digest of the manifest; of a flat tar nil.
        public var manifest: Descriptor?
        public var configuration: Descriptor?
        public var layers: [Descriptor]
        public var diffIDs: [String]
        /// How many bytes of contents were read, packed and compressed for layers; 0 when all were left out.
        public var packed: UInt64 = 0
        /// What a person might not expect of the target.
        public var warnings: [String] = []
        /// Of a single image, what ``ExportImage/keep(_:manifest:)`` keeps; nil where it cannot be known again.
        public var draft: Draft?
    }
}

extension ExportImage.Target {
    /// The target that `location` stands for.
    ///
    /// - Throws: ``LayerFSError/malformedOption(name:value:expected:)`` for a registry, which is not a file to be written.
    public init(_ location: ImageLocation) throws(LayerFSError) {
        switch location.transport {
        case .oci: self = .layout(location.path)
        case .ociArchive: self = .archive(location.path)
        case .dockerArchive: self = .dockerArchive(location.path)
        case .docker:
            throw .malformedOption(
                name: "target", value: "\(location)",
                expected:
                    "oci:DIR[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:NAME]; `layerfs push` stores in registries"
            )
        }
    }

    /// Whether it can be standard output.
    public var isStream: Bool {
        switch self {
        case .layout, .bundle, .squashfs, .erofs: false
        case .archive, .dockerArchive, .tar, .cpio: true
        }
    }

    var isStandardOutput: Bool { path == Self.standardOutput }

    /// Whether it is an image, with layers and a configuration.
    public var isImage: Bool {
        switch self {
        case .layout, .archive, .dockerArchive: true
        case .tar, .cpio, .bundle, .squashfs, .erofs: false
        }
    }
}

extension ExportImage.Options {
    /// The compression of an export to `target`.
    ///
    /// - Throws: ``LayerFSError/malformedOption(name:value:expected:)`` where the target cannot have it, or it has no such level.
    func compression(for target: ExportImage.Target) throws(LayerFSError) -> Compression {
        let compression = compression ?? (target.isImage ? .gzip : .none)
        if case .dockerArchive = target, compression == .zstd {
            throw .malformedOption(
                name: "--compression", value: compression.rawValue,
                expected: "gzip or none: Docker's image format has no zstd layers (an OCI layout or archive has)")
        }
        if isStargz, compression != .gzip {
            throw .malformedOption(
                name: "--compression", value: compression.rawValue,
                expected: "gzip: eStargz layers are made of gzip members")
        }
        if let level = compressionLevel, compression.levels?.contains(level) != true {
            let levels = compression.levels.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "no level"
            throw .malformedOption(
                name: "--compression-level", value: "\(level)", expected: "\(levels) for \(compression.rawValue)")
        }
        return compression
    }
}
