import Bytes
import Digests
import Posix
import Trees

/// Names, records and trees of a store, as far as they can be read: who needs what.
///
/// A document that is missing or damaged is left out here; it is found when all blobs are read.
struct StoreGraph {
    /// A layer that a name or an image reaches.
    struct Layer {
        /// Its own, and where it has none those that images know it by.
        var names: Set<String> = []
        var images: Set<String> = []
        var record: LayerRecord?
        var tree: Tree?
        var skeleton: Skeleton?

        /// What belongs to it beside its record and the contents of its tree.
        var documents: [Digest] {
            (record?.treeDocuments ?? []) + [record?.provenance, record?.skeleton, skeleton?.others].compactMap { $0 }
        }
    }

    private(set) var layers: [Digest: Layer] = [:]
    /// Image records and the names they have.
    private(set) var images: [Digest: Set<String>] = [:]
    /// What images keep of their originals.
    private var originals: [Digest: [(digest: Digest, size: UInt64?)]] = [:]
    private(set) var damages: [IntegrityReport.Damage] = []

    init(of store: Store) throws(LayerStoreError) {
        for kind in NamedKind.allCases {
            for file in try during(
                "list the references", { () throws(SystemError) in try store.references.files(kind) })
            {
                let place = "refs/\(kind.rawValue)s/\(file.name)"
                guard let name = References.name(file.name) else {
                    damages.append(.init(kind: .reference, place: place, detail: "it is no name that layerfs writes"))
                    continue
                }
                do throws(LayerStoreError) {
                    guard let record = try store.references.digest(of: name, kind) else { continue }
                    switch kind {
                    case .layer: layers[record, default: Layer()].names.insert(name.text)
                    case .image: images[record, default: []].insert(name.text)
                    }
                } catch {
                    damages.append(.init(kind: .reference, place: place, detail: "\(error)"))
                }
            }
        }
        let named = Set(layers.keys)
        for (digest, names) in images {
            guard let image = read(digest, { () throws(LayerStoreError) in try store.imageRecord(digest) }) else {
                continue
            }
            originals[digest] = image.originalBlobs
            for layer in image.layers {
                layers[layer.record, default: Layer()].images.formUnion(names)
                if !named.contains(layer.record) { layers[layer.record]?.names.insert(layer.name) }
            }
        }
        for digest in Array(layers.keys) {
            guard let record = read(digest, { () throws(LayerStoreError) in try store.layerRecord(digest) }) else {
                continue
            }
            layers[digest]?.record = record
            let tree = read(record.tree) { () throws(LayerStoreError) in try store.tree(of: record) }
            layers[digest]?.tree = tree
            if let skeleton = record.skeleton {
                let found = read(skeleton) { () throws(LayerStoreError) in try store.skeleton(of: record) }
                layers[digest]?.skeleton = found ?? nil
            }
            guard let provenance = record.provenance else { continue }
            _ = read(provenance) { () throws(LayerStoreError) in try store.provenance(of: record) }
        }
    }

    private mutating func read<Document>(_ digest: Digest, _ body: () throws(LayerStoreError) -> Document) -> Document?
    {
        do throws(LayerStoreError) {
            return try body()
        } catch .damagedRecord(_, let reason) {
            damages.append(.init(kind: .record, digest: digest, detail: reason))
            return nil
        } catch {
            return nil
        }
    }

    /// Everything that must be there: documents, and contents with the size that trees say.
    var needed: NeededContents {
        var result = NeededContents()
        for (digest, layer) in layers {
            result.add(digest)
            for document in layer.documents { result.add(document) }
            for content in layer.skeleton?.contents ?? [] { result.add(content) }
            guard let contents = layer.tree?.entries.distinctContents else { continue }
            for (content, size) in contents { result.add(content, size: size) }
        }
        for digest in images.keys { result.add(digest) }
        for blob in originals.values.flatMap(\.self) { result.add(blob.digest, size: blob.size) }
        result.sort()
        return result
    }

    /// Completes `damages` with whom each of them touches.
    func attribute(_ damages: inout [IntegrityReport.Damage]) {
        var positions: [Digest: [Int]] = [:]
        for (index, damage) in damages.enumerated() {
            if let digest = damage.digest.flatMap({ try? Digest(parsing: $0) }) {
                positions[digest, default: []].append(index)
            }
        }
        var touched = [(layers: Set<String>, images: Set<String>)](repeating: ([], []), count: damages.count)
        for (digest, names) in images {
            for document in [digest] + (originals[digest] ?? []).map(\.digest) {
                for index in positions[document] ?? [] { touched[index].images.formUnion(names) }
            }
        }
        for (digest, layer) in layers {
            func touch(_ content: Digest, _ path: TreePath?) {
                for index in positions[content] ?? [] {
                    touched[index].layers.formUnion(layer.names)
                    touched[index].images.formUnion(layer.images)
                    guard let path else { continue }
                    damages[index].paths += layer.names.map { .init(layer: $0, path: path.description) }
                }
            }
            for document in Set([digest] + layer.documents) { touch(document, nil) }
            // One that is not what its parts make has no file of its own.
            if let record = layer.record, record.treeParts != nil { touch(record.tree, nil) }
            // Those that the tree has, too, are told with their paths.
            for content in layer.skeleton?.contents ?? [] { touch(content, nil) }
            guard let entries = layer.tree?.entries else { continue }
            for position in entries.indices {
                guard let (content, _) = entries.content(at: position), positions[content] != nil else { continue }
                touch(content, entries.path(at: position))
            }
        }
        for index in damages.indices {
            damages[index].layers = touched[index].layers.sorted()
            damages[index].images = touched[index].images.sorted()
            damages[index].paths.sort { ($0.layer, $0.path) < ($1.layer, $1.path) }
        }
    }
}

extension IntegrityReport.Damage {
    /// Of the blob `digest`.
    init(kind: IntegrityReport.Kind, digest: Digest, detail: String) {
        self.init(kind: kind, place: "blobs/sha256/\(BlobPath.of(digest))", digest: "\(digest)", detail: detail)
    }
}
