import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore
import Trees

/// `layerfs mount ROOT DIR`
struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mount a root read-only, as an overlay of its layers; needs root.",
        discussion: """
            DIR must be an empty directory. What each layer adds is made once, by hard links in the store's cache, so that a further \
            mount costs what its layers cost, not its files. `gc` leaves alone what is mounted. Device nodes are shown, but cannot be \
            opened. `layerfs umount DIR` takes the mount away; without root, use `layerfs run` or `layerfs materialize`.
            """)

    @Argument(
        help: ArgumentHelp("A layer, an image or an expression.", valueName: "root"), transform: RootExpression.init)
    var expression: RootExpression

    @Argument(help: ArgumentHelp("The empty directory to mount it on.", valueName: "dir"))
    var directory: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Let the root be written to: changes go to this directory, one for each mount, and are there again when it is mounted with it.",
            valueName: "changes"))
    var writable: String?

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let mount = MountRoot(try storeOptions.workspace(.reading))
        let summary = try console.whileWatching { progress in
            try mount.run(
                expression, at: ByteString(argument: directory), writingTo: writable.map { ByteString(argument: $0) },
                progress: progress)
        }
        if jsonOption.json { return try console.result(json: summary) }
        console.note(SummaryText.mounted(summary, expression, at: directory))
    }
}
