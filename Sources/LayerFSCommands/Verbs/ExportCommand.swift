import ArgumentParser
import Bytes
import ImageTransport
import LayerFSKit
import LayerStore
import Trees

/// `layerfs export ROOT --oci DIR`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Hand a root over as an OCI image layout, an archive or a flat tar.",
        discussion: """
            The same root gives the same bytes on every machine; SOURCE_DATE_EPOCH bounds all times. What was written is read \
            back and compared before it gets its name. "-" is standard output.
            """)

    @Argument(
        help: ArgumentHelp("A layer, an image or an expression.", valueName: "root"), transform: RootExpression.init)
    var expression: RootExpression

    @OptionGroup(title: "Target (one)") var target: ExportTargetOptions

    @Option(name: .long, help: "Layers of the image: diff (only what the stack below lacks), full, or flat (one).")
    var layers = ExportImage.LayerForm.diff

    @Option(name: .long, help: "How layers are compressed: gzip or none.")
    var compression: Compression?

    @Flag(name: .long, help: "Compress layers that were imported anew, instead of giving them back as they were.")
    var recompress = false

    @Option(name: .long, help: ArgumentHelp("The image's name (default: that of the root).", valueName: "name[:tag]"))
    var name: String?

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws { try target.validateChoice(json: jsonOption.json) }

    func run() throws {
        let console = outputOptions.console
        var options = ExportImage.Options()
        options.form = layers
        options.compression = compression ?? target.usualCompression
        options.recompresses = recompress || compression != nil
        options.name = name
        options.scratchDirectory = Environment.current.temporaryDirectory
        let workspace = try storeOptions.workspace(.reading)
        let result = try console.whileWatching { progress in
            try ExportImage(workspace).run(expression, to: target.choice(), options, progress: progress)
        }
        if jsonOption.json { return try console.result(json: ExportReport(result)) }
        console.note(SummaryText.exported(result, expression))
    }
}
