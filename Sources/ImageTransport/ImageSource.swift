public import Bytes
import Digests
public import OCI
import Posix
import SystemPackage

/// A place that images can be read from.
public struct ImageSource {
    /// What lies there.
    public enum Kind: Hashable, Sendable {
        /// An image layout, as a directory or as a tar (image-spec, image-layout.md).
        case layout
        /// What `docker save` writes.
        case dockerArchive
    }

    private let files: any ImageFiles
    private let kind: Kind

    init(_ files: any ImageFiles, _ kind: Kind) { (self.files, self.kind) = (files, kind) }

    /// What lies at `location`, whichever of its images is meant.
    ///
    /// - Parameters:
    ///   - limit: how much an archive that is compressed may grow.
    ///   - scratch: where it is laid out then.
    /// - Throws: `SystemError`, `TarError`, ``TransportError/noImages(_:reason:)``.
    public init(_ location: ImageLocation, limit: ExpansionLimit, scratch: ByteString) throws {
        switch location.transport {
        case .oci: try self.init(directory: location.path)
        case .ociArchive, .dockerArchive:
            let archive = try ArchiveFile.open(location.path, limit, scratch: scratch)
            self.init(try ArchiveFiles(archive), location.transport == .dockerArchive ? .dockerArchive : .layout)
        case .docker: throw TransportError.noImages(location.path, reason: "it is in a registry")
        }
    }

    /// The image layout in the directory `path`.
    public init(directory path: ByteString) throws {
        files = LayoutFiles(try Files.open(path, [.readOnly, .directory]))
        kind = .layout
    }

    /// Which of the images of an index are wanted.
    public enum PlatformChoice: Hashable, Sendable {
        /// The only one; of several that of this platform.
        case preferred(Platform)
        case only(Platform)
        case all
    }

    /// The images that `name`, a tag or a full name or a digest, stands for there; nil stands for the only image.
    ///
    /// - Throws: ``TransportError/noSuchImage(_:)``, ``TransportError/severalImages(_:)``, ``TransportError/noSuchPlatform(_:available:)``, and what is wrong
    ///   with a document.
    public func images(named name: String?, _ choice: PlatformChoice) throws -> [SourceImage] {
        switch kind {
        case .layout: try LayoutImages(files: files).images(named: name, choice)
        case .dockerArchive: try dockerImages(named: name, choice)
        }
    }

    // MARK: Docker's archives

    private func dockerImages(named name: String?, _ choice: PlatformChoice) throws -> [SourceImage] {
        let bytes = try ImageVerifier.required("manifest.json", in: files)
        let all = try parsing("manifest.json") { () throws(OCIError) in try DockerArchiveImage.parse(bytes) }
        let names = all.flatMap(\.repositoryTags)
        let found = all.filter { image in
            guard let name else { return all.count == 1 }
            return image.repositoryTags.contains { DockerName.areSame($0, name) }
                || image.config.contains(name) && name.utf8.count >= 12
        }
        if let name, found.isEmpty { throw TransportError.noSuchImage(name) }
        guard found.count == 1 else { throw TransportError.severalImages(names) }
        let image = try dockerImage(found[0], name: name)
        if case .only(let wanted) = choice, !wanted.accepts(image.platform) {
            throw TransportError.noSuchPlatform(wanted.description, available: [image.platform.description])
        }
        return [image]
    }

    private func dockerImage(_ image: DockerArchiveImage, name: String?) throws -> SourceImage {
        let bytes = try ImageVerifier.required(image.config, in: files)
        // The name is the digest, in both the old form and that of layouts.
        let stem = image.config.split(separator: "/").last?.split(separator: ".").first ?? ""
        if let expected = try? Digest(hexadecimal: Array(stem.utf8)) {
            let actual = Digest(hashing: bytes)
            guard actual == expected else {
                throw TransportError.digestMismatch(name: image.config, expected: expected, actual: actual)
            }
        }
        let configuration = try parsing(image.config) { () throws(OCIError) in try ImageConfiguration(parsing: bytes) }
        try SourceImage.check(layers: image.layers.count, configuration)
        return SourceImage(
            name: name ?? image.repositoryTags.first, configuration: configuration, configurationBytes: bytes,
            layers: image.layers.map { SourceImage.LayerPlace(file: $0, descriptor: nil) }, files: files)
    }
}

extension SourceImage {
    static func check(layers count: Int, _ configuration: ImageConfiguration) throws(TransportError) {
        guard count <= layerLimit else { throw .tooManyLayers(count) }
        guard count == configuration.diffIDs.count else {
            throw .layerCount(manifest: count, configuration: configuration.diffIDs.count)
        }
    }
}
