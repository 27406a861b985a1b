import Bytes
public import Digests
import LayerStore
public import OCI
public import Trees

/// An image of the store that came from elsewhere, and that importing the same manifest under the same name would leave as it is.
public struct StandingImage: Sendable {
    /// Of the manifest that it came with.
    public let manifest: Digest
    /// The bytes of that manifest.
    public let manifestBytes: [UInt8]
    public let platform: Platform
    /// What the import would say.
    public let summary: ImportSummary

    /// The image `name` of the store itself; nil where there is none that was imported as it is under this name, or where
    /// something of it is not sound, as far as inodes tell.
    ///
    /// - Throws: ``LayerStoreError`` and what else is wrong with what the store has: an import may heal it.
    public init?(_ name: Name, in workspace: Workspace) throws {
        let store = workspace.store
        guard let digest = try store.references.digest(of: name, .image) else { return nil }
        let record = try store.imageRecord(digest)
        guard let original = record.original, let manifest = original.manifest, record.members == nil,
            record.expression == name.text, record.onConflict == .overlay,
            record.layers.enumerated().allSatisfy({ number, layer in
                layer.name == "\(name).\(number + 1)" && layer.blob != nil && layer.group == nil
            })
        else { return nil }
        func document(_ digest: Digest) throws -> [UInt8] {
            try store.blobs.bytes(of: digest, limit: JSONValue.sizeLimit, wantedBy: "an image")
        }
        self.manifest = manifest
        manifestBytes = try document(manifest)
        let configuration = try ImageConfiguration(parsing: document(original.configuration))
        // Somebody may have given it other settings since.
        guard record.settings == ImageSettings(configuration) else { return nil }
        platform = configuration.platform
        guard let cost = try Self.cost(of: record, digest, manifest, in: workspace) else { return nil }
        summary = ImportSummary(
            name: name, kind: .image, outcome: .unchanged, platform: platform.description,
            manifest: "\(manifest)", diffIDs: configuration.diffIDs.map(\.description),
            entries: record.entries, size: record.size, cost: cost,
            recompressed: record.layers.count { $0.blob?.encoding == nil && $0.blob?.isKept == nil })
    }

    /// What the contents cost; nil unless all are sound.
    private static func cost(
        of record: ImageRecord, _ digest: Digest, _ manifest: Digest, in workspace: Workspace
    ) throws -> LayerCost? {
        let notes = ImageNotes(workspace)
        let name = notes?.name(owner: digest, ["import"])
        if let notes, let name, let note = notes.find(name), note.manifest == manifest.bytes,
            try workspace.store.isUnchanged(note.states)
        {
            return note.cost
        }
        let (contents, cost) = try contents(of: record, digest, in: workspace.store)
        guard let states = try workspace.store.states(of: contents) else { return nil }
        if let notes, let name {
            notes.keep(ImageNotes.Note(manifest: manifest.bytes, states: states, cost: cost), as: name)
        }
        return cost
    }

    /// All that the image is made of, documents included.
    private static func contents(
        of record: ImageRecord, _ digest: Digest, in store: Store
    ) throws -> ([Digest: UInt64?], LayerCost) {
        var contents: [Digest: UInt64?] = [:]
        var trees: [Tree] = []
        func insert(_ digest: Digest?) {
            if let digest, contents.index(forKey: digest) == nil { contents[digest] = .some(nil) }
        }
        for layer in record.layers {
            let found = try store.layerRecord(layer.record)
            let tree = try store.tree(of: found)
            trees.append(tree)
            for entry in tree.entries {
                if case .file(let digest, let size) = entry.kind { contents[digest] = size }
            }
            ([layer.record, found.provenance, found.skeleton] + found.treeDocuments).forEach(insert)
            if let skeleton = try store.skeleton(of: found) {
                insert(skeleton.others)
                skeleton.contents.forEach(insert)
            }
            if layer.blob?.isKept == true { insert(layer.blob?.digest) }
        }
        [digest, record.original?.manifest, record.original?.configuration].forEach(insert)
        return (contents, LayerCost(ImportImages.contents(of: trees)) { _ in false })
    }
}
