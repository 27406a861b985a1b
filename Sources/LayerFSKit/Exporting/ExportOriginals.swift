import Digests
import ImageTransport
import LayerStore
import OCI
import Trees

/// What an export gives back as it was imported: the layers at the bottom that came with one image, or as a tar of their own,
/// and the documents of that image when it is all that is exported.
struct ExportOriginals {
    /// For each layer of the selection that is given back as it was, from the lowest.
    private(set) var layers: [ImageDescription.Layer] = []
    private(set) var documents: OriginalDocuments?

    /// - Parameter recompressing: give back tars, but compress them anew.
    init(_ workspace: Workspace, _ selection: Selection, recompressing: Bool) throws {
        let store = workspace.store
        for layer in selection.layers.prefix(Self.count(selection)) {
            let tree = try store.tree(of: layer.record)
            var part = ImageDescription.Layer(
                entries: tree.entries.dropFirst(), createdBy: layer.record.source)
            part.original = OriginalLayer(
                diffID: layer.record.diffID, skeleton: try store.skeleton(of: layer.record),
                blob: recompressing ? nil : layer.blob.flatMap(Self.blob))
            layers.append(part)
        }
        guard let original = selection.original, layers.count == selection.layers.count else { return }
        func bytes(_ digest: Digest) throws -> [UInt8] {
            try store.blobs.bytes(of: digest, limit: JSONValue.sizeLimit, wantedBy: "an image")
        }
        var manifest: (mediaType: MediaType, bytes: [UInt8])?
        if let digest = original.manifest {
            let type = try original.mediaType.map { text throws(OCIError) in try MediaType(parsing: text) }
            manifest = (type ?? .imageManifest, try bytes(digest))
        }
        documents = OriginalDocuments(manifest: manifest, configuration: try bytes(original.configuration))
    }

    /// How many layers from the lowest are what they were, with nothing between or beneath them.
    private static func count(_ selection: Selection) -> Int {
        guard let first = selection.layers.first else { return 0 }
        guard first.blob != nil else { return first.record.skeleton == nil ? 0 : 1 }
        let policy = first.group?.onConflict ?? selection.onConflict
        guard policy == .overlay else { return 1 }
        return selection.layers.prefix { $0.blob != nil && $0.group == first.group }.count
    }

    private static func blob(_ blob: ImageRecord.Blob) -> OriginalLayer.Blob? {
        guard let mediaType = try? MediaType(parsing: blob.mediaType) else { return nil }
        let encoding = blob.encoding.flatMap { LayerEncoding($0) }
        guard encoding != nil || blob.isKept == true else { return nil }
        return OriginalLayer.Blob(
            mediaType: mediaType, digest: blob.digest, size: blob.size, encoding: blob.isKept == true ? nil : encoding)
    }
}
