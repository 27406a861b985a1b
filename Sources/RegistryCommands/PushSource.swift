import Bytes
import Digests
import ImageTransport
import LayerFSCommands
import LayerFSKit
import OCI
import Posix
import Registry
import RegistryProtocol
import Trees

/// What is pushed: a root of the store, or an image of a layout on disk.
enum PushSource: Sendable {
    case root(RootExpression)
    /// Named in the layout's index as `reference`; without one, the only image there.
    case layout(ByteString, reference: String?)

    /// `oci:DIR[:REF]` or an expression.
    ///
    /// - Throws: ``NameError``.
    init(_ text: String) throws {
        guard text.hasPrefix(PushOperand.layoutPrefix) else {
            self = .root(try RootExpression(text))
            return
        }
        let rest = text.dropFirst(PushOperand.layoutPrefix.count)
        // A reference has no slash, or the colon is part of a path.
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            self = .layout(
                ByteString(argument: String(rest[..<colon])), reference: String(rest[rest.index(after: colon)...]))
        } else {
            self = .layout(ByteString(argument: String(rest)), reference: nil)
        }
    }

    /// An image in a layout, ready to be pushed. The scratch directory lives as long as it.
    struct Prepared: Sendable {
        let layout: LayoutDirectory
        let image: Descriptor
        let scratch: ScratchDirectory?
        /// Blobs that are not in the layout, since the registry has them.
        var settled: [DescriptorDigest: TransferOutcome] = [:]
        /// How many bytes of contents were packed and compressed for it; nil for a layout that was there.
        var packed: UInt64?
    }

    /// Finds the image of a layout.
    ///
    /// - Throws: ``RegistryError``.
    static func find(_ reference: String?, in path: ByteString) throws(RegistryError) -> Prepared {
        let layout = try LayoutDirectory(opening: path)
        let images = try layout.index()?.manifests ?? []
        let names = images.compactMap { $0.annotations[AnnotationKey.referenceName] }
        let found = images.filter { reference == nil || $0.annotations[AnnotationKey.referenceName] == reference }
        guard let image = found.first, found.count == 1 else {
            let listed = names.isEmpty ? "" : "; it has \(names.prefix(20).joined(separator: ", "))"
            let reason =
                reference.map { "there is no one image '\($0)' in this layout" }
                ?? "the layout has \(images.count) images: say which, as oci:DIR:REF"
            throw .layout(path: "\(path)", reason: reason + listed)
        }
        return Prepared(layout: layout, image: image, scratch: nil)
    }

    /// The blobs that the layers of a root would be, as far as that is known without making them.
    static func known(
        _ root: RootExpression, in workspace: Workspace, _ options: ExportImage.Options
    ) throws -> [Descriptor] {
        try ExportImage(workspace).knownLayers(of: root, to: .layout(options.scratchDirectory), options)
    }

    /// Writes a root of the store into a layout of its own, checked as every export is.
    ///
    /// - Parameter settled: blobs that the registry has, and that are therefore left out.
    /// - Throws: what `ExportImage` throws, ``RegistryError``, `SystemError`.
    static func export(
        _ root: RootExpression, from workspace: Workspace, _ options: ExportImage.Options,
        besides settled: [DescriptorDigest: TransferOutcome], progress: ProgressMeter
    ) throws -> Prepared {
        var options = options
        options.draftsNote = true
        options.leavingOut = Set(settled.keys.compactMap { if case .sha256(let digest) = $0 { digest } else { nil } })
        let scratch = try ScratchDirectory(in: options.scratchDirectory)
        let export = ExportImage(workspace)
        let result = try export.run(root, to: .layout(scratch.layout), options, progress: progress)
        guard let image = result.manifest else { throw TransportError.noLayers }
        let layout = try LayoutDirectory(opening: scratch.layout)
        if let draft = result.draft { export.keep(draft, manifest: try layout.document(image)) }
        return Prepared(layout: layout, image: image, scratch: scratch, settled: settled, packed: result.packed)
    }
}
