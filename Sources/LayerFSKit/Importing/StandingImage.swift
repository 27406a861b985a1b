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
        guard let digest = try workspace.store.references.digest(of: name, .image) else { return nil }
        let notes = ImageNotes(workspace)
        let noteName = notes?.name(owner: digest, ["import", name.text])
        // A record has the name of its digest: what was found out of it stays, as long as what it names is there.
        if let notes, let noteName, let note = notes.find(noteName), let imported = note.imported,
            try workspace.store.isUnchanged(imported.states)
        {
            try self.init(name, note.manifest, imported)
            return
        }
        guard let (manifest, imported) = try Self.find(name, digest, in: workspace.store) else { return nil }
        if let notes, let noteName { notes.keep(ImageNotes.Note(manifest: manifest, imported: imported), as: noteName) }
        try self.init(name, manifest, imported)
    }

    private init(_ name: Name, _ manifest: [UInt8], _ imported: ImageNotes.Imported) throws {
        let configuration = try ImageConfiguration(parsing: imported.configuration)
        manifestBytes = manifest
        self.manifest = Digest(hashing: manifest)
        platform = configuration.platform
        summary = ImportSummary(
            name: name, kind: .image, outcome: .unchanged, platform: platform.description,
            manifest: "\(self.manifest)", diffIDs: configuration.diffIDs.map(\.description),
            entries: imported.entries, size: imported.size, cost: imported.cost, recompressed: imported.recompressed)
    }

    /// What is to be known of the image whose record is `digest`; nil unless it was imported as it is under this name, and is sound.
    private static func find(
        _ name: Name, _ digest: Digest, in store: Store
    ) throws -> (manifest: [UInt8], ImageNotes.Imported)? {
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
        let configuration = try document(original.configuration)
        // Somebody may have given it other settings since.
        guard try record.settings == ImageSettings(ImageConfiguration(parsing: configuration)) else { return nil }
        let (contents, cost) = try contents(of: record, digest, in: store)
        guard let states = try store.states(of: contents) else { return nil }
        return try (
            document(manifest),
            ImageNotes.Imported(
                configuration: configuration, entries: record.entries, size: record.size,
                recompressed: record.layers.count { $0.blob?.encoding == nil && $0.blob?.isKept == nil }, cost: cost,
                states: states)
        )
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
