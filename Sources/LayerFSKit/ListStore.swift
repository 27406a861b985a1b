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
    }

    /// Layers first, then images; each sorted by name.
    ///
    /// - Throws: ``LayerStoreError`` when a document is missing or damaged.
    public func run() throws -> [Item] {
        let references = workspace.store.references
        let layers = try references.names(.layer).compactMap { name -> Item? in
            guard let digest = try references.digest(of: name, .layer) else { return nil }
            let record = try workspace.store.layerRecord(digest)
            return Item(
                name: name.text, kind: .layer, created: record.created, source: record.source, entries: record.entries,
                size: record.size, digest: digest.description)
        }
        let images = try references.names(.image).compactMap { name -> Item? in
            guard let digest = try references.digest(of: name, .image) else { return nil }
            let record = try workspace.store.imageRecord(digest)
            return Item(
                name: name.text, kind: .image, created: record.created, source: record.expression,
                entries: record.entries, size: record.size, digest: digest.description)
        }
        return layers + images
    }
}
