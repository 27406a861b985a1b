import Bytes
import Digests
public import LayerStore
import Trees

/// Lists what a store has names for.
public struct ListStore: Sendable {
    private let workspace: Workspace

    public init(_ workspace: Workspace) { self.workspace = workspace }

    /// One name.
    public struct Item: Hashable, Sendable, Codable {
        public var name: String
        public var kind: NamedKind
        /// RFC 3339.
        public var created: String
        /// The command or expression it was made from.
        public var source: String
        /// Paths: of a layer its own, of an image those of the union of its layers.
        public var entries: Int
        /// Bytes of files, each path counted.
        public var size: UInt64
        /// The digest of its record.
        public var digest: String
        /// The further store that has the name; nil for the store itself.
        public var store: String?
        /// Why its record cannot be read; nil when it can.
        public var damage: String?
    }

    /// Layers first, then images; each sorted by name. Then names that only further stores have. A name whose record is missing or damaged is listed as such.
    ///
    /// - Throws: ``LayerStoreError`` when the references cannot be read.
    public func run() throws -> [Item] {
        try workspace.store.namedRecords().map { named in
            var item = item(named.name, named.kind, named.record)
            item.store = named.store?.description
            return item
        }
    }

    private func item(_ name: Name, _ kind: NamedKind, _ digest: Digest) -> Item {
        var item = Item(
            name: name.text, kind: kind, created: "", source: "", entries: 0, size: 0, digest: digest.description)
        do {
            switch kind {
            case .layer:
                let record = try workspace.store.layerRecord(digest)
                (item.created, item.source) = (record.created, record.source)
                (item.entries, item.size) = (record.entries, record.size)
            case .image:
                let record = try workspace.store.imageRecord(digest)
                (item.created, item.source) = (record.created, record.expression)
                (item.entries, item.size) = (record.entries, record.size)
            }
        } catch {
            item.damage = "\(error)"
        }
        return item
    }
}
