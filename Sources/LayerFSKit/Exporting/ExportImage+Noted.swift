public import Bytes
import Digests
import ImageTransport
import LayerStore
public import Trees

/// Images that need not be composed, since it is noted what an export of them is.
extension ExportImage {
    /// What an export is to be noted as.
    public struct Draft: Sendable {
        fileprivate var name: ByteString
    }

    /// The bytes of the manifest that an export of `expression` as an image would write, if they are noted: for the same records, the
    /// same program and the same options. That the store can still make the image, this does not say.
    ///
    /// - Parameter program: the path of the program that would export it; that of this process by default.
    public func notedManifest(
        _ expression: RootExpression, _ options: Options, by program: ByteString? = nil
    ) -> [UInt8]? {
        guard let notes = ImageNotes(workspace, of: program), let name = noteName(for: expression, options, in: notes)
        else { return nil }
        return notes.find(name)?.manifest
    }

    /// Notes that an export was the image with this manifest.
    public func keep(_ draft: Draft, manifest: [UInt8]) {
        ImageNotes(workspace)?.keep(ImageNotes.Note(manifest: manifest), as: draft.name)
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

    /// nil where an export of the same may be another image.
    func draft(of expression: RootExpression, _ parts: Parts, _ options: Options) -> Draft? {
        guard parts.annotations == nil, let notes = ImageNotes(workspace) else { return nil }
        return noteName(for: expression, options, in: notes).map(Draft.init(name:))
    }
}
