import Bytes
import LayerFSKit
import LayerStore
import Trees

/// What `add --dry-run` says of one layer.
struct PreviewReport: Codable {
    var name: String
    var entries: [Item]
    var contents: Int
    var bytes: UInt64
    var newContents: Int
    var newBytes: UInt64
    var sharedBytes: UInt64

    struct Item: Codable {
        var path: String
        var kind: String
        var mode: String
        var size: UInt64
        var target: String?
        /// Whether the store would take the content in for this path.
        var isNew: Bool
    }

    init(_ preview: PreviewLayers.Preview) {
        name = preview.name.text
        entries = preview.tree.entries.map { entry in
            var item = Item(
                path: entry.path.description, kind: entry.kind.indexName, mode: String(entry.metadata.mode, radix: 8),
                size: entry.size, isNew: preview.newPaths.contains(entry.path))
            if case .symlink(let target) = entry.kind { item.target = target.description }
            return item
        }
        (contents, bytes) = (preview.cost.contents, preview.cost.bytes)
        (newContents, newBytes) = (preview.cost.newContents, preview.cost.newBytes)
        sharedBytes = preview.cost.bytes - preview.cost.newBytes
    }

    /// The entries as a person reads them.
    var lines: [String] {
        var table = TextTable([("MODE", .right), ("SIZE", .right), ("COST", .left), ("PATH", .left)])
        for item in entries {
            table.add([
                item.mode, item.kind == "file" ? "\(ByteCount(item.size))" : item.kind,
                item.kind == "file" ? item.isNew ? "new" : "shared" : "",
                item.path + (item.target.map { " -> \($0)" } ?? ""),
            ])
        }
        return table.lines
    }
}
