import Bytes
public import Digests
import Posix
public import Trees

/// Reading the documents of a store.
extension Store {
    /// The largest document that is read into memory: a tree of a million entries has some 200 MB.
    private static let documentLimit = 1 << 30

    /// The layer record with this digest.
    ///
    /// - Throws: ``LayerStoreError`` when it is missing, damaged, or no layer record.
    public func layerRecord(_ digest: Digest) throws(LayerStoreError) -> LayerRecord {
        let bytes = try blobs.bytes(of: digest, limit: 16 << 20, wantedBy: "a reference or an image")
        let what = ByteString("the layer record \(digest)")
        let record = try StoreJSON.decode(LayerRecord.self, bytes, what: what)
        // The second is that of a tree in parts, the third of one whose parts have marks.
        let known = (record.treeParts == nil ? 0 : 1) + (record.treeTime == nil ? 0 : 1)
        try Self.checkVersion(record.schemaVersion - known, what)
        return record
    }

    /// The image record with this digest.
    ///
    /// - Throws: ``LayerStoreError`` when it is missing, damaged, or no image record.
    public func imageRecord(_ digest: Digest) throws(LayerStoreError) -> ImageRecord {
        let bytes = try blobs.bytes(of: digest, limit: 16 << 20, wantedBy: "a reference")
        let what = ByteString("the image record \(digest)")
        let record = try StoreJSON.decode(ImageRecord.self, bytes, what: what)
        // The second is that of an index.
        try Self.checkVersion(record.members == nil ? record.schemaVersion : record.schemaVersion - 1, what)
        return record
    }

    private static func checkVersion(_ version: Int, _ what: ByteString) throws(LayerStoreError) {
        guard version != 1 else { return }
        throw .damagedRecord(what, reason: "it has version \(version), which a newer layerfs wrote")
    }

    /// The tree of `record`.
    public func tree(of record: LayerRecord) throws(LayerStoreError) -> Tree {
        if let parts = record.treeParts { return try tree(record.tree, in: parts, time: record.treeTime) }
        guard let size = try blobs.size(of: record.tree) else {
            throw blobs.missing(record.tree, wantedBy: "a layer")
        }
        var decoder = TreeDumpDecoder()
        // What damaged bytes lead to is not worth a message of its own: the digest is what is wrong.
        var fault: TreeDumpError?
        do {
            try blobs.readContent(record.tree, size: size) { piece in
                if fault == nil {
                    do throws(TreeDumpError) { try decoder.decode(piece) } catch { fault = error }
                }
            }
            if let fault { throw fault }
            return try decoder.finish()
        } catch let error as LayerStoreError {
            throw error
        } catch let error as SystemError {
            throw .system(step: "read the content \(record.tree)", error)
        } catch {
            throw .damagedRecord(ByteString("the tree \(record.tree)"), reason: "\(error)")
        }
    }

    /// The provenance of `record`; nil when it has none.
    public func provenance(of record: LayerRecord) throws(LayerStoreError) -> Provenance? {
        guard let digest = record.provenance else { return nil }
        let bytes = try blobs.bytes(of: digest, limit: Self.documentLimit, wantedBy: "a layer")
        return try StoreJSON.decode(Provenance.self, bytes, what: ByteString("the provenance \(digest)"))
    }

    /// What was asked for when the layer of `record` was made; the rest of its provenance, which is long, is not taken apart.
    public func requests(of record: LayerRecord) throws(LayerStoreError) -> [Provenance.Request] {
        struct Requests: Decodable { var requests: [Provenance.Request] }
        guard let digest = record.provenance else { return [] }
        var bytes = try blobs.bytes(of: digest, limit: Self.documentLimit, wantedBy: "a layer")
        // Keys are in order, so that this one comes behind all files. In a string of JSON each quote has a backslash: what is
        // found is no part of one.
        let mark = Array(",\"requests\":".utf8)
        if let start = bytes.indices.reversed().first(where: { bytes[$0...].starts(with: mark) }) {
            bytes = [UInt8(ascii: "{")] + bytes[(start + 1)...]
        }
        return try StoreJSON.decode(Requests.self, bytes, what: ByteString("the provenance \(digest)")).requests
    }

    /// The skeleton of `record`; nil when its tar is the canonical one.
    public func skeleton(of record: LayerRecord) throws(LayerStoreError) -> Skeleton? {
        guard let digest = record.skeleton else { return nil }
        let bytes = try blobs.bytes(of: digest, limit: Self.documentLimit, wantedBy: "a layer")
        do {
            return try Skeleton(parsing: bytes)
        } catch {
            throw .damagedRecord(ByteString("the skeleton \(digest)"), reason: "\(error)")
        }
    }
}
