public import Bytes
import Digests
public import OCI
import Posix
import RegistryProtocol
import SystemPackage

/// Attaches a file to an image of a registry, as an artifact whose subject the image is (image-spec, manifest.md, Guidelines for
/// Artifact Usage).
public struct AttachArtifact: Sendable {
    private let repository: Repository

    public init(_ repository: Repository) { self.repository = repository }

    /// Attaches the file at `path` to `subject`.
    ///
    /// - Parameters:
    ///   - type: what the file is: `application/spdx+json`.
    ///   - scratch: an empty layout in which the artifact is put together.
    /// - Returns: the artifact's manifest.
    /// - Throws: ``RegistryError``, `CancellationError`.
    public func run(
        _ path: ByteString, as type: MediaType, to subject: Descriptor, scratch: LayoutDirectory
    ) async throws -> Descriptor {
        let blob = try scratch.adopt(path, mediaType: type)
        var plain = subject
        (plain.annotations, plain.platform) = ([:], nil)
        let empty = Array("{}".utf8)
        var manifest = Manifest(config: Descriptor(mediaType: .empty, of: empty), layers: [blob])
        manifest.artifactType = type
        manifest.subject = plain
        let bytes = manifest.canonicalBytes
        let descriptor = Descriptor(mediaType: .imageManifest, of: bytes)
        try scratch.add(empty, Digest(hashing: empty))
        try scratch.add(bytes, Digest(hashing: bytes))
        return try await PushLayout(repository, from: scratch).run(descriptor, as: "\(descriptor.digest)").manifest
    }
}

extension LayoutDirectory {
    /// Copies the file at `path` into the layout.
    ///
    /// - Returns: its descriptor, titled with its name.
    /// - Throws: ``RegistryError/layout(path:reason:)``.
    func adopt(_ path: ByteString, mediaType: MediaType) throws(RegistryError) -> Descriptor {
        do {
            let file = try Files.open(path, .readOnly)
            let status = try file.status()
            guard status.kind == .regular else { throw SystemError("open", path, .invalidArgument) }
            let digest = try Self.digest(of: file)
            let title = path.split(on: UInt8(ascii: "/")).last?.utf8Text
            let descriptor = Descriptor(
                mediaType: mediaType, digest: digest, size: Int64(clamping: status.size),
                annotations: title.map { [AnnotationKey.title: $0] } ?? [:])
            try copy(Files.open(path, .readOnly), to: partialFile(for: descriptor), path)
            return descriptor
        } catch let error as RegistryError {
            throw error
        } catch {
            throw .layout(path: "\(path)", reason: "\(error)")
        }
    }

    private func copy(_ source: borrowing OwnedDescriptor, to file: PartialFile, _ path: ByteString) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try source.read(into: buffer)
            if count == 0 { break }
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        guard file.isComplete, try file.hasPublished() else {
            throw RegistryError.layout(path: "\(path)", reason: "it changes while it is read")
        }
    }
}
