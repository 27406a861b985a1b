import ArgumentParser
import LayerFSKit
import LayerStore

/// `layerfs reindex`
struct ReindexCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Make the index anew from contents and names.",
        discussion: """
            Commands that write do this themselves when they find the index damaged and have the store for themselves; those \
            that read do without it. What is lost is only the memory of which host files were read before.
            """)

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let summary = try storeOptions.workspace(.reindexing).store.indexSummary()
        if jsonOption.json { return try console.result(json: summary) }
        console.note(
            "made the index of \(summary.layers) layers, \(summary.images) images, \(summary.entries) entries, "
                + "\(summary.contents) contents")
    }
}
