import Bytes
import Digests
import ImageTransport
import LayerStore
public import Trees

/// Images that need not be composed, since it is noted what an export of them is.
extension ExportImage {
    /// What is to be kept of an export.
    public struct Draft: Sendable {
        fileprivate var name: ByteString
        fileprivate var states: ContentStates
    }

    /// What was noted of an export.
    public struct Noted: Sendable {
        /// The bytes of the manifest that an export would write.
        public var manifest: [UInt8]
        fileprivate var states: ContentStates
    }

    /// What an export of `expression` as an image would be, if that is noted: of the same records, by the same program, with the
    /// same options. Whether what it is made of is sound, ``isUnchanged(_:)`` says.
    public func noted(_ expression: RootExpression, _ options: Options) -> Noted? {
        guard let notes = ImageNotes(workspace), let name = noteName(for: expression, options, in: notes),
            let note = notes.find(name)
        else { return nil }
        return Noted(manifest: note.manifest, states: note.states)
    }

    /// Whether all that an export would read is as it was when `noted` was noted, as far as the inodes tell.
    public func isUnchanged(_ noted: Noted) -> Bool { (try? workspace.store.isUnchanged(noted.states)) == true }

    /// Notes that an export was the image with this manifest.
    public func keep(_ draft: Draft, manifest: [UInt8]) {
        ImageNotes(workspace)?.keep(ImageNotes.Note(manifest: manifest, states: draft.states), as: draft.name)
    }

    /// All that decides what an export writes but for the program; nil when there is something wrong, which an export will tell.
    private func noteName(for expression: RootExpression, _ options: Options, in notes: ImageNotes) -> ByteString? {
        guard let compression = try? options.compression(for: .layout("")) else { return nil }
        var facts = [
            "export", expression.description, options.form.rawValue,
            "\(LayerCache.codec(compression, level: options.compressionLevel))", "\(options.isStargz)",
            "\(options.recompresses)", options.compression?.rawValue ?? "",
            "\(options.compressionLevel ?? 0)", "\(options.maximumLayers ?? 0)",
            "\(workspace.sourceDateEpoch?.seconds ?? .max)",
        ]
        var owner: Digest?
        for name in expression.names {
            guard let found = try? workspace.store.lookUp(name) else { return nil }
            owner = owner ?? found.record
            facts += [found.kind.rawValue, "\(found.record)"]
        }
        return owner.map { notes.name(owner: $0, facts) }
    }

    /// nil where it is not worth it, or something is not sound.
    func draft(of expression: RootExpression, _ parts: Parts, _ options: Options) -> Draft? {
        guard parts.annotations == nil, let notes = ImageNotes(workspace),
            let name = noteName(for: expression, options, in: notes),
            let states = try? workspace.store.states(of: contents(of: expression, parts.images[0]))
        else { return nil }
        return Draft(name: name, states: states)
    }

    /// All that an export of `part` reads of the store, records and trees included.
    private func contents(of expression: RootExpression, _ part: Part) throws -> [Digest: UInt64?] {
        var contents: [Digest: UInt64?] = [:]
        func insert(_ digest: Digest?) {
            if let digest, contents.index(forKey: digest) == nil { contents[digest] = .some(nil) }
        }
        for entries in [part.composition.tree.entries] + part.image.layers.map(\.entries) {
            for entry in entries {
                // What composing made is made of the rest.
                guard case .file(let digest, let size) = entry.kind, !workspace.store.blobs.isVolatile(digest) else {
                    continue
                }
                contents[digest] = size
            }
        }
        for name in expression.names { insert(try workspace.store.lookUp(name)?.record) }
        for layer in part.selection.layers {
            insert(layer.digest)
            layer.record.treeDocuments.forEach(insert)
            insert(layer.record.provenance)
            insert(layer.record.skeleton)
            if layer.blob?.isKept == true { insert(layer.blob?.digest) }
        }
        for skeleton in part.image.layers.compactMap(\.original?.skeleton) {
            insert(skeleton.others)
            skeleton.contents.forEach(insert)
        }
        insert(part.selection.original?.manifest)
        insert(part.selection.original?.configuration)
        return contents
    }
}
