import Bytes
import Digests
import Posix
import SystemPackage
import Trees

/// Everything that the names of a store reach: documents, and the contents of the files in their trees.
struct LiveContents {
    /// Of documents and files.
    private(set) var digests: Set<Digest> = []
    /// Of the layers' trees, which are no documents where they are in parts, but may name what caches keep.
    private var trees: Set<Digest> = []
    /// Of the layers' canonical tars, by which caches may name what they keep.
    private var diffIDs: Set<Digest> = []
    /// The nodes that entries want of contents that have any: the ends of their names.
    private var nodeKeys: [Digest: Set<String>] = [:]
    private let withNodes: Set<Digest>

    /// Walks from the references of `store`.
    ///
    /// - Parameter contents: those that have nodes.
    /// - Throws: ``LayerStoreError`` for a reference that cannot be understood and for a document that is missing or
    ///   damaged: what it would have led to is not known, so nothing may be taken for garbage.
    init(of store: Store, withNodes contents: Set<Digest>) throws(LayerStoreError) {
        withNodes = contents
        for kind in NamedKind.allCases {
            for name in try store.references.allNames(kind) {
                guard let record = try store.references.digest(of: name, kind) else { continue }
                switch kind {
                case .layer: try insert(layer: record, of: store)
                case .image:
                    guard digests.insert(record).inserted else { continue }
                    let image = try store.imageRecord(record)
                    digests.formUnion(image.originalBlobs.map(\.digest))
                    for layer in image.layers { try insert(layer: layer.record, of: store) }
                }
            }
        }
    }

    private mutating func insert(layer digest: Digest, of store: Store) throws(LayerStoreError) {
        guard digests.insert(digest).inserted else { return }
        let record = try store.layerRecord(digest)
        diffIDs.insert(record.diffID.digest)
        // Provenance names no contents, yet damage in it is better met before than after anything is gone.
        if let provenance = record.provenance {
            digests.insert(provenance)
            _ = try store.provenance(of: record)
        }
        if let document = record.skeleton, let skeleton = try store.skeleton(of: record) {
            digests.formUnion([document, skeleton.others])
            digests.formUnion(skeleton.contents)
        }
        digests.formUnion(record.treeDocuments)
        guard trees.insert(record.tree).inserted else { return }
        let entries = try store.tree(of: record).entries
        for position in entries.indices {
            guard let (content, _) = entries.content(at: position) else { continue }
            digests.insert(content)
            guard withNodes.contains(content) else { continue }
            let metadata = InodeMetadata(entries[position].metadata)
            nodeKeys[content, default: []].formUnion([false, true].map { metadata.key(exactTime: $0) })
        }
    }

    /// Whether what caches keep under the name of `digest` belongs to something that is reached.
    func isCacheOwner(_ digest: Digest) -> Bool {
        digests.contains(digest) || trees.contains(digest) || diffIDs.contains(digest)
    }

    /// Whether `name`, below `nodes/`, is that of a node that no entry wants.
    func isDeadNode(_ name: ByteString) -> Bool {
        guard let content = NodeStore.digest(ofName: name) else { return false }
        let key = name.bytes.lastIndex(of: UInt8(ascii: ".")).map { ByteString(name.bytes[($0 + 1)...]).description }
        return !(nodeKeys[content]?.contains(key ?? "") ?? false)
    }
}

extension References {
    /// As ``names(_:)``, but a file that is no reference is an error, not overlooked: it may be one that a newer program wrote.
    func allNames(_ kind: NamedKind) throws(LayerStoreError) -> [Name] {
        let entries = try during("list the references") { () throws(SystemError) in try files(kind) }
        var names: [Name] = []
        for entry in entries {
            guard let name = Self.name(entry.name) else {
                throw .damagedRecord(
                    ByteString("refs/\(kind.rawValue)s/") + entry.name, reason: "it is no name that layerfs writes")
            }
            names.append(name)
        }
        return names.sorted()
    }
}
