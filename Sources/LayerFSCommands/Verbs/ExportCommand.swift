import ArgumentParser
import Bytes
import ImageTransport
import LayerFSKit
import LayerStore
import Trees

/// `layerfs export ROOT --oci DIR`, `layerfs export ROOT oci:DIR:REF`
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Hand a root over as an image, an archive, a bundle or a file system.",
        discussion: """
            A target is an option, or a place as skopeo writes it: oci:DIR[:REF], oci-archive:FILE[:REF], \
            docker-archive:FILE[:NAME], docker://HOST/NAME:TAG. The same root gives the same bytes on every machine; SOURCE_DATE_EPOCH bounds all times. What was written is read \
            back and compared before it gets its name. "-" is standard output.
            """)

    @Argument(
        help: ArgumentHelp("A layer, an image or an expression.", valueName: "root"), transform: RootExpression.init)
    var expression: RootExpression

    @Argument(
        help: ArgumentHelp(
            "Where the image goes: oci:DIR:TAG, docker://HOST/NAME:TAG or the like.", valueName: "target"))
    var place: String?

    @OptionGroup(title: "Target (one)") var target: ExportTargetOptions

    @Option(name: .long, help: "Layers of the image: diff (only what the stack below lacks), full, or flat (one).")
    var layers = ExportImage.LayerForm.diff

    @Option(
        name: .long,
        help: ArgumentHelp("Merge neighbouring layers until there are at most so many.", valueName: "number"))
    var maxLayers: Int?

    @Flag(name: .long, help: "Layers as eStargz: single files can be fetched; each has an index, /stargz.index.json.")
    var estargz = false

    @OptionGroup(title: "Compression") var compression: CompressionOptions

    @Flag(name: .long, help: "Compress layers that were imported anew, instead of giving them back as they were.")
    var recompress = false

    @Option(name: .long, help: ArgumentHelp("The image's name (default: that of the root).", valueName: "name[:tag]"))
    var name: String?

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws { try target.validateChoice(place: place, json: jsonOption.json) }

    func run() throws {
        try pushIfAsked()
        let console = outputOptions.console
        var options = ExportImage.Options()
        options.form = layers
        (options.compression, options.compressionLevel) = (compression.compression, compression.compressionLevel)
        (options.maximumLayers, options.isStargz, options.name) = (maxLayers, estargz, name)
        options.searchPath = Environment.current.searchPath
        options.recompresses = recompress || compression.compression != nil || compression.compressionLevel != nil
        options.scratchDirectory = Environment.current.temporaryDirectory
        let target: ExportImage.Target
        (target, options.reference) = try self.target.choice(place: place)
        let workspace = try storeOptions.workspace(.reading)
        let result = try console.whileWatching { progress in
            try ExportImage(workspace).run(expression, to: target, options, progress: progress)
        }
        result.warnings.forEach(console.warn)
        if jsonOption.json { return try console.result(json: ExportReport(result)) }
        console.note(SummaryText.exported(result, expression))
    }
}
