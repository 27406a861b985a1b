package import LayerFSKit
import LayerStore
import Trees

extension SummaryText {
    package static func imported(_ summary: ImportSummary) -> String {
        let verb =
            switch summary.outcome {
            case .created: "imported"
            case .replaced: "replaced"
            case .unchanged: "unchanged"
            }
        let (cost, known) = (summary.cost, summary.cost.contents - summary.cost.newContents)
        let layers = summary.kind == .image ? " in \(summary.diffIDs.count) layers" : ""
        let share = cost.bytes == 0 ? 100 : (cost.bytes - cost.newBytes) * 100 / cost.bytes
        var text =
            "\(verb) \(summary.name): \(summary.entries) entries\(layers), \(cost.contents) contents, \(ByteCount(cost.bytes)); "
            + "\(known) of them, \(share) %, were known, \(ByteCount(cost.newBytes)) new"
        if summary.recompressed > 0 {
            text +=
                "\n  \(summary.recompressed) of its layers will be exported with the same diffID, but compressed anew; "
                + "--keep-compressed keeps their bytes"
        }
        return text
    }
}

/// What `import --json` says of one image or layer.
package struct ImportReport: Codable {
    var name: String
    var kind: NamedKind
    var outcome: String
    var platform: String?
    var manifest: String?
    var diffIDs: [String]
    var entries: Int
    var size: UInt64
    var contents: Int
    var bytes: UInt64
    var newContents: Int
    var newBytes: UInt64
    /// Layers whose compressed bytes are not given back by an export.
    var recompressed: Int

    package init(_ summary: ImportSummary) {
        (name, kind, outcome) = (summary.name.text, summary.kind, "\(summary.outcome)")
        (platform, manifest, diffIDs) = (summary.platform, summary.manifest, summary.diffIDs)
        (entries, size, recompressed) = (summary.entries, summary.size, summary.recompressed)
        (contents, bytes) = (summary.cost.contents, summary.cost.bytes)
        (newContents, newBytes) = (summary.cost.newContents, summary.cost.newBytes)
    }
}
