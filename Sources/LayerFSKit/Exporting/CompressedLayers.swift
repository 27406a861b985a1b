import Bytes
import Digests
import ImageTransport
import LayerStore
import OCI
import Trees

/// What layers became when they were packed and compressed before, remembered in the store's cache: their names in a manifest,
/// without doing it again.
///
/// A note is believed when it is as it was written, is about these very entries in this form, and all contents are in the store
/// with their inodes as they were.
struct CompressedLayers {
    private static let title = "layerfs-compressed 1"

    let store: Store
    let packing: LayerPacking
    let compression: Compression
    let level: Int?

    /// The layer of `entries` as it once was; nil when that is not known.
    func find(_ entries: [Entry]) throws -> ImageDescription.LeftOut? {
        guard let (name, key) = place(of: entries), let bytes = store.cached(name, limit: 4096) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
        guard lines.count == 5, lines[0] == "\(Self.title) \(key)", Self.note(Array(lines[..<3])) == bytes,
            let diffID = try? Digest(parsing: lines[1])
        else { return nil }
        let fields = lines[2].split(separator: " ")
        guard fields.count == 3, let mediaType = try? MediaType(parsing: String(fields[0])),
            let digest = try? Digest(parsing: String(fields[1])), let size = Int64(fields[2]), size >= 0,
            try store.isSound(Self.contents(of: entries))
        else { return nil }
        return ImageDescription.LeftOut(
            diffID: DiffID(diffID), blob: Descriptor(mediaType: mediaType, digest: digest, size: size))
    }

    /// Remembers what the layer of `entries` became.
    func remember(_ entries: [Entry], _ diffID: DiffID, _ blob: Descriptor) {
        guard let (name, key) = place(of: entries), let digest = try? blob.sha256(), blob.annotations.isEmpty else {
            return
        }
        let note = Self.note(["\(Self.title) \(key)", "\(diffID)", "\(blob.mediaType) \(digest) \(blob.size)"])
        if store.cached(name, limit: 4096) != note { store.cache(note, as: name) }
    }

    /// `lines`, and the digest of their bytes.
    private static func note(_ lines: [String]) -> [UInt8] {
        let text = Array(lines.map { $0 + "\n" }.joined().utf8)
        return text + Array("\(Digest(hashing: text))\n".utf8)
    }

    /// Where the note lies, and what it is about: the entries as they are packed, and how they are compressed. It is named by
    /// one of the contents, with which it goes.
    private func place(of entries: [Entry]) -> (name: ByteString, key: Digest)? {
        let first = entries.lazy.compactMap { entry -> Digest? in
            if case .file(let digest, let size) = entry.kind, size > 0 { digest } else { nil }
        }.first
        guard let first, let tree = try? Tree([Tree.empty.entries[0]] + entries.map(packing.recorded)) else {
            return nil
        }
        let level = level ?? compression.usualLevel
        let form = "\(compression.rawValue) \(level)\n"
        let key = Digest(hashing: Array(form.utf8) + TreeDump.encode(tree))
        return (ByteString("\(first.hexadecimal).layer-\(key.hexadecimal)"), key)
    }

    static func contents(of entries: [Entry]) -> [Digest: UInt64?] {
        var contents: [Digest: UInt64?] = [:]
        for entry in entries {
            if case .file(let digest, let size) = entry.kind { contents[digest] = size }
        }
        return contents
    }
}
