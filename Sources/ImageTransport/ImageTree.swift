public import Bytes
public import OCI
import Posix
public import Trees

/// Reads what a container made from an image sees, wherever the image lies, verified and without keeping anything.
public struct ImageTree {
    private let platform: Platform
    private let scratch: ByteString

    /// - Parameters:
    ///   - platform: which of the images of several platforms.
    ///   - scratch: where an archive that is compressed is laid out.
    public init(platform: Platform, scratch: ByteString) { (self.platform, self.scratch) = (platform, scratch) }

    /// The tree of the image at `location`.
    ///
    /// - Throws: as ``ImageSource/images(named:_:)`` and ``SourceImage/readLayers(limit:intake:progress:_:)``.
    public func read(_ location: ImageLocation) throws -> Tree {
        try read(ImageSource(location, limit: ExpansionLimit(), scratch: scratch), location.reference)
    }

    /// The tree of the only image in the archive `path`, or of a flat tar.
    ///
    /// - Throws: as ``read(_:)``.
    public func read(archive path: ByteString) throws -> Tree {
        let files = try ArchiveFiles(ArchiveFile.open(path, ExpansionLimit(), scratch: scratch))
        if try files.size(of: "index.json") != nil, try files.size(of: "oci-layout") != nil {
            return try read(ImageSource(files, .layout), nil)
        }
        if try files.size(of: "manifest.json") != nil { return try read(ImageSource(files, .dockerArchive), nil) }
        var stream = LayerStream(limit: .none, intake: HashingIntake())
        try forEachPiece(of: Files.open(path, .readOnly)) { try stream.read($0) }
        return try Tree(closing: stream.finish(isVerified: false).replay.entries)
    }

    private func read(_ source: ImageSource, _ reference: String?) throws -> Tree {
        let images = try source.images(named: reference, .preferred(platform))
        // One at the most, since not all platforms were asked for.
        guard let image = images.first else { throw TransportError.noSuchImage(reference ?? "\(platform)") }
        return try Tree(closing: image.readLayers(limit: .none, intake: { _ in HashingIntake() }) { _, _ in })
    }
}

extension Tree {
    /// `entries` with the directories that they lie in; those that are not there are root's, mode 0755.
    ///
    /// - Throws: `TreeError` when something lies in what is no directory.
    fileprivate init(closing entries: [TreePath: Entry]) throws(TreeError) {
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
        self = try Tree(all.values)
    }
}
