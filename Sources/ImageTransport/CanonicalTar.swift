import Digests
import Tar
import Trees

extension SourceImage.Layer {
    /// Whether the tar is the one that layerfs itself makes of the tree; no content is read again for it.
    public var isCanonical: Bool {
        guard let canonical = try? LayerPacking().outline(tree.entries.dropFirst()) else { return false }
        return canonical.parts == parts && canonical.tail == tail && canonical.others == others
    }
}

extension LayerPacking {
    /// A tar without the contents of its files.
    struct Outline {
        var parts: [Skeleton.Part] = []
        var tail: UInt64 = 0
        /// The digest of all other bytes.
        var others = Digest.empty
    }

    /// The outline of the tar of `entries`.
    ///
    /// - Throws: as ``pack(_:from:into:progress:)``.
    func outline(_ entries: Tree.Entries) throws -> Outline {
        var outline = Outline()
        var hasher = DigestHasher()
        var count: UInt64 = 0
        func add(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { hasher.update($0) }
            count += UInt64(bytes.count)
        }
        for entry in Self.ordered(entries) {
            add(try TarEncoder.encode(header(for: entry)))
            guard case .file(let digest, let size) = entry.kind, size > 0 else { continue }
            outline.parts.append(Skeleton.Part(others: count, offset: 0, count: size, content: digest))
            count = 0
            add([UInt8](repeating: 0, count: TarEncoder.padding(after: size)))
        }
        add(TarEncoder.endOfArchive)
        outline.tail = count
        outline.others = hasher.finalize()
        return outline
    }
}
