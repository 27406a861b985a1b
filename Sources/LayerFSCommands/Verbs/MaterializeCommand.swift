import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore
import Posix
import Trees

/// `layerfs materialize ROOT DIR`
struct MaterializeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "materialize",
        abstract: "Make a root on disk, by hard links into the store.",
        discussion: """
            DIR must not exist, or be an empty directory; it appears whole or not at all. A write through a hard link changes \
            the store's content: for a root that is to be changed, use --link reflink or --link copy.
            """,
        aliases: ["checkout"])

    @Argument(
        help: ArgumentHelp("A layer, an image or an expression.", valueName: "root"), transform: RootExpression.init)
    var expression: RootExpression

    @Argument(help: ArgumentHelp("The directory to make.", valueName: "dir"))
    var directory: String

    @Option(name: .long, help: "How files come from the store: hard, reflink, copy or auto.")
    var link = LinkMode.hard

    @Flag(name: .long, help: "Give every file its recorded time; hard links otherwise share their inode's.")
    var exact = false

    @Flag(name: .long, help: "Make device nodes, too; needs root.")
    var devices = false

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let workspace = try storeOptions.workspace(.reading)
        let index = workspace.openingIndex()
        let tree = try workspace.compose(workspace.select(expression)).tree
        try index.value()
        let summary = try console.whileWatching { progress in
            try Materialize(workspace, link: link, exactTime: exact, makesDevices: devices)
                .run(tree, at: ByteString(argument: directory), progress: progress)
        }
        if jsonOption.json { return try console.result(json: summary) }
        console.note(SummaryText.materialized(summary, at: directory))
    }
}
