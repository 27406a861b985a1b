import Bytes
import LayerFSKit
import LayerStore

extension AddCommand {
    /// `layerfs add --dry-run`: what would be added, and what it would cost.
    func preview(_ layers: [LayerRequest], root: ByteString, _ console: Console) throws {
        let workspace = try storeOptions.existingWorkspace()
        let previews = try console.whileWatching { try PreviewLayers(workspace, root: root).run(layers, progress: $0) }
        if jsonOption.json { return try console.result(json: previews.map(PreviewReport.init)) }
        for preview in previews {
            for line in PreviewReport(preview).lines { try console.result(line) }
            console.note(SummaryText.previewed(preview))
        }
    }
}
