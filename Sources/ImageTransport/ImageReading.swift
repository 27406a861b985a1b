public import Bytes
public import OCI
import Posix
public import Trees

/// Finds one image in a layout or archive and reads it, verified.
public enum ImageReading {
    /// How deep an index may name further indexes.
    private static let depthLimit = 8

    /// The image at `location`.
    ///
    /// - Parameter platform: which of the images of several platforms.
    /// - Throws: ``TransportError/noSuchImage(_:)``, ``TransportError/severalImages(_:)`` when the location leaves open which,
    ///   and what ``ImageVerifier/verify(directory:)`` throws.
    public static func read(_ location: ImageLocation, platform: Platform) throws -> VerifiedImage {
        switch location.transport {
        case .oci:
            let files = try LayoutFiles(Files.open(location.path, [.readOnly, .directory]))
            return try read(files, location.reference, platform)
        case .ociArchive:
            return try read(ArchiveFiles(ArchiveFile.open(location.path)), location.reference, platform)
        case .dockerArchive:
            let files = try ArchiveFiles(ArchiveFile.open(location.path))
            return try read(SyntheticLayout.docker(files), location.reference, platform, isDocker: true)
        case .docker: throw TransportError.noImages(location.path, reason: "it is in a registry")
        }
    }

    /// The image in the archive `path`, or the tree of a flat tar as an image of one layer.
    public static func read(archive path: ByteString, platform: Platform) throws -> VerifiedImage {
        let files = try ArchiveFiles(ArchiveFile.open(path))
        if try files.size(of: "index.json") != nil, try files.size(of: "oci-layout") != nil {
            return try read(files, nil, platform)
        }
        if try files.size(of: "manifest.json") != nil {
            return try read(SyntheticLayout.docker(files), nil, platform)
        }
        return try read(SyntheticLayout.flat(LoneFile(ArchiveFile.open(path)), LoneFile.name), nil, platform)
    }

    private static func read(
        _ files: some ImageFiles, _ reference: String?, _ platform: Platform, isDocker: Bool = false
    ) throws -> VerifiedImage {
        guard let bytes = try files.document("index.json") else { throw TransportError.missing(name: "index.json") }
        let index = try parsing("index.json") { () throws(OCIError) in try ImageIndex(parsing: bytes) }
        var candidates = index.manifests
        if let reference {
            candidates.removeAll { entry in
                guard let name = entry.annotations[AnnotationKey.referenceName] else { return true }
                return isDocker ? !DockerName.areSame(name, reference) : name != reference
            }
            if candidates.isEmpty { throw TransportError.noSuchImage(reference) }
        }
        let found = try choose(candidates, platform, files, depth: 1)
        guard let chosen = found.first else { throw TransportError.noSuchImage("\(platform)") }
        guard found.allSatisfy({ $0.digest == chosen.digest }) else {
            throw TransportError.severalImages(
                found.map { $0.annotations[AnnotationKey.referenceName] ?? "\($0.digest)" })
        }
        return try ImageVerifier.verify(chosen, in: files)
    }

    /// The manifests that `entries` lead to; of an index those for `platform` where it has several.
    private static func choose(
        _ entries: [Descriptor], _ platform: Platform, _ files: some ImageFiles, depth: Int
    ) throws -> [Descriptor] {
        var found: [Descriptor] = []
        for entry in entries {
            if entry.mediaType.isManifest {
                found.append(entry)
            } else if entry.mediaType.isIndex, depth < depthLimit {
                let name = try files.blobName(entry.sha256())
                guard let bytes = try files.document(name) else { throw TransportError.missing(name: name) }
                let nested = try parsing(name) { () throws(OCIError) in try ImageIndex(parsing: bytes) }
                let inner = try choose(nested.manifests, platform, files, depth: depth + 1)
                let own = inner.filter {
                    ($0.platform?.os, $0.platform?.architecture) == (platform.os, platform.architecture)
                }
                found += own.isEmpty ? inner : [own[0]]
            }
        }
        return found
    }
}

extension VerifiedImage {
    /// What a container made from the image sees, as a tree; directories that no layer has are root's, mode 0755.
    ///
    /// - Throws: `TreeError` when something lies in what is no directory.
    public func tree() throws(TreeError) -> Tree {
        var all = entries
        for path in entries.keys {
            var parent = path
            repeat {
                parent = parent.parent
                if all[parent] != nil { break }
                all[parent] = Entry(path: parent, metadata: Metadata(mode: 0o755), kind: .directory)
            } while !parent.isRoot
        }
        if all[.root] == nil { all[.root] = Tree.empty.entries[0] }
        return try Tree(all.values)
    }
}
