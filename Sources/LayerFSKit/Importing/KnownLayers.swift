public import Digests
public import ImageTransport
public import LayerStore
public import OCI
import Posix
import Synchronization
import Trees

/// The layers of images that a store can give back, so that nobody needs to fetch them.
///
/// A layer is known by the digest of its compressed bytes, from the record of an image that has it; or by that of its tar, where
/// the compressed bytes are those that layerfs makes of it. Either way the configuration of the wanted image has to name the
/// tar, and all that the tar is made of has to be in the store as it came.
public struct KnownLayers: Sendable {
    /// A layer that the store can give back.
    public struct Layer: Sendable {
        public var stored: StoredLayer
        /// How the wanted bytes are made of it.
        public var blob: ImageRecord.Blob
    }

    /// A layer that some image or name has.
    private struct Candidate {
        var record: LayerRecord
        var blob: ImageRecord.Blob?
    }

    private let store: Store
    private let findings: Findings
    private let pool: WorkerPool
    private let cache: LayerCache?
    private var byBlob: [Digest: Candidate] = [:]
    private var byTar: [DiffID: Candidate] = [:]

    /// What was found out by compressing, for whoever asks again.
    public final class Findings: Sendable {
        fileprivate let digests = Mutex<[DiffID: Digest]>([:])

        public init() {}
    }

    /// The layers that the names of the store reach. A record that cannot be read is left out.
    public init(_ workspace: Workspace, _ findings: Findings, workers: Int? = nil) throws {
        (store, self.findings, pool) = (workspace.store, findings, WorkerPool(workers: workers))
        if let directory = store.cacheDirectory(LayerCache.directoryName) {
            cache = LayerCache(directory)
        } else {
            cache = nil
        }
        for named in try store.namedRecords() {
            switch named.kind {
            case .layer: insert(named.record, nil)
            case .image:
                guard let image = try? store.imageRecord(named.record) else { continue }
                for layer in image.layers { insert(layer.record, layer.blob) }
            }
        }
    }

    private mutating func insert(_ digest: Digest, _ blob: ImageRecord.Blob?) {
        guard let record = try? store.layerRecord(digest) else { return }
        let candidate = Candidate(record: record, blob: blob)
        if let blob { byBlob[blob.digest] = candidate }
        byTar[record.diffID] = byTar[record.diffID] ?? candidate
    }

    /// The layer `blob` with the tar `diffID`; nil when it is not known or not sound.
    ///
    /// - Throws: ``LayerStoreError`` when the store cannot be looked at.
    public func layer(_ blob: Descriptor, _ diffID: DiffID) throws -> Layer? {
        guard let digest = try? blob.sha256() else { return nil }
        if let candidate = byBlob[digest], candidate.record.diffID == diffID, let known = candidate.blob,
            known.size == UInt64(clamping: blob.size)
        {
            return try layer(candidate.record, blob, digest, known.encoding, isKept: known.isKept)
        }
        guard let record = byTar[diffID]?.record else { return nil }
        if digest == diffID.digest { return try layer(record, blob, digest, LayerEncoding.none.text) }
        // A tar that others made was most likely compressed by others.
        guard record.skeleton == nil, blob.mediaType.asOCI == .layerTarGzip,
            let layer = try layer(record, blob, digest, LayerEncoding.layerfs.text)
        else { return nil }
        return try compressedDigest(of: layer.stored) == digest ? layer : nil
    }

    private func compressedDigest(of layer: StoredLayer) throws -> Digest? {
        let diffID = layer.original.diffID
        if let cached = cache?.digest(ofLayerWith: diffID, .gzip) { return cached }
        if let known = findings.digests.withLock({ $0[diffID] }) { return known }
        guard let digest = try? layer.compressedDigest(pool: pool) else { return nil }
        findings.digests.withLock { $0[diffID] = digest }
        return digest
    }

    /// The layer of `record`; nil unless all that it needs is there and sound.
    private func layer(
        _ record: LayerRecord, _ blob: Descriptor, _ digest: Digest, _ encoding: String?, isKept: Bool? = nil
    ) throws -> Layer? {
        guard let tree = try? store.tree(of: record) else { return nil }
        var contents: [Digest: UInt64?] = [:]
        for position in tree.entries.indices {
            if let (digest, size) = tree.entries.content(at: position) { contents[digest] = size }
        }
        var original = OriginalLayer(diffID: record.diffID, skeleton: nil, blob: nil)
        if record.skeleton != nil {
            guard let skeleton = try? store.skeleton(of: record) else { return nil }
            for digest in skeleton.contents where contents[digest] == nil { contents[digest] = .some(nil) }
            contents[skeleton.others] = .some(nil)
            original.skeleton = skeleton
        }
        let found = ImageRecord.Blob(
            mediaType: blob.mediaType.text, digest: digest, size: UInt64(clamping: blob.size), encoding: encoding,
            isKept: isKept)
        if isKept == true { contents[digest] = .some(found.size) }
        guard try store.isSound(contents) else { return nil }
        let entries = tree.entries.dropFirst()
        return Layer(
            stored: StoredLayer(entries: entries, original: original, contents: store.blobs), blob: found)
    }
}
