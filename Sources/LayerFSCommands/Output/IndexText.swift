import LayerFSKit
import LayerStore
import Trees

extension SummaryText {
    static func indexed(_ result: CreateIndex.Result) -> String {
        let verb =
            switch result.outcome {
            case .created: "made"
            case .replaced: "replaced"
            case .unchanged: "unchanged"
            }
        return "\(verb) \(result.name): an index for \(result.platforms.joined(separator: ", "))"
    }
}

/// What `index create --json` says.
struct IndexReport: Codable {
    var name: String
    var outcome: String
    var platforms: [String]
    var imported: [ImportReport]

    init(_ result: CreateIndex.Result) {
        (name, outcome, platforms) = (result.name.text, "\(result.outcome)", result.platforms)
        imported = result.imported.map(ImportReport.init)
    }
}
