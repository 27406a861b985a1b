import ArgumentParser
import LayerFSKit
import LayerStore

/// `layerfs gc`
struct CollectGarbageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove contents that no layer and no image uses.",
        discussion: """
            Needs the store for itself: it waits for commands that are running (--wait), and exits with 6 when they do not end. \
            Roots on disk stay as they are. If anything that a name reaches is missing or damaged, nothing is removed.
            """)

    @Flag(name: .long, help: "Say what would be removed, and remove nothing.")
    var dryRun = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Keep what is younger: a number with s, m, h or d (default: 0s).", valueName: "duration"),
        transform: DurationText.parse)
    var keepYoungerThan: Duration?

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let report = try CollectGarbage(storeOptions.workspace(.collecting))
            .run(keepingYoungerThan: keepYoungerThan ?? .zero, dryRun: dryRun)
        if jsonOption.json { return try console.result(json: report) }
        SummaryText.collected(report).forEach(console.note)
    }
}
