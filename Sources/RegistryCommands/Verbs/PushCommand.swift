import ArgumentParser
import Bytes
import ImageTransport
import LayerFSCommands
import LayerFSKit
import LayerStore
import OCI
import Registry
import RegistryProtocol

/// `layerfs push ROOT docker://HOST/REPOSITORY:TAG`
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Store a root, or an image layout, in a registry.",
        discussion: """
            Only what the registry lacks is sent, and of layers that were made before only what it lacks is compressed; the tag \
            moves when all of it is there. Without a root, what --attach names is attached to the image that the tag names.
            """)

    @Argument(
        help: ArgumentHelp(
            "A layer, an image, an expression or oci:DIR[:REF]; then docker://HOST/REPOSITORY:TAG.",
            valueName: "[root] place"))
    var operands: [String]

    @Option(name: .long, help: "Layers of the image: diff (only what the stack below lacks), full, or flat (one).")
    var layers = ExportImage.LayerForm.diff

    @OptionGroup(title: "Compression") var compression: CompressionOptions

    @Flag(name: .long, help: "Compress layers that were imported anew, instead of giving them back as they were.")
    var recompress = false

    @Option(
        name: .long, help: ArgumentHelp("At most so many layers; the root stays the same.", valueName: "number"))
    var maxLayers: Int?

    @Flag(name: .long, help: "Layers that can be pulled file by file (eStargz).")
    var estargz = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A repository of the same registry that blobs may be linked from; may be repeated.", valueName: "repository"
        ))
    var mountFrom: [String] = []

    @OptionGroup(title: "Artifacts") var artifacts: ArtifactOptions
    @OptionGroup(title: "Registry") var connection: ConnectionOptions
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        guard operands.count == 2 || operands.count == 1 && !artifacts.attach.isEmpty else {
            throw ValidationError("Name a root and a place: layerfs push shell docker://host/shell:1.0")
        }
        guard mountFrom.allSatisfy(Reference.isRepository) else {
            throw ValidationError("--mount-from takes the name of a repository.")
        }
    }

    /// What the options ask for.
    private func work() throws -> (push: PushImage, source: PushSource?) {
        let place = try RegistryPlace(parsing: operands[operands.count - 1])
        let source = try operands.count == 2 ? PushSource(operands[0]) : nil
        var push = PushImage(
            place: place, options: try connection.registryOptions(host: place.host, isVerbose: outputOptions.verbose),
            credentials: connection.credentials)
        push.mountSources = mountFrom
        push.artifacts = try artifacts.chosen()
        push.scratchDirectory = Environment.current.temporaryDirectory
        return (push, source)
    }

    func run() async throws {
        let console = outputOptions.console
        let (push, source) = try work()
        if let source, let summary = try await push.confirm(source, exportOptions, storeOptions) {
            return try TransferText.sayPushed(
                operands[0], push.place, summary, packed: 0, to: console, asJSON: jsonOption.json)
        }
        let board = TransferBoard()
        let image: PushSource.Prepared? =
            if let source { try await push.prepare(source, exportOptions, storeOptions, showing: console) } else { nil }
        let result = try await console.whileWatching({ board.states }) {
            try await interruptibly { try await push.run(image, board) }
        }
        if jsonOption.json {
            return try console.result(
                json: TransferReport(result.summary, attached: result.attached, packed: image?.packed))
        }
        if source != nil {
            console.note(TransferText.pushed(operands[0], push.place, result.summary, packed: image?.packed))
        }
        for (artifact, attached) in zip(push.artifacts, result.attached) {
            console.note(
                TransferText.attached("\(artifact.path)", artifact.type, result.summary.manifest, attached))
        }
    }

    var exportOptions: ExportImage.Options {
        var options = ExportImage.Options(pushing: layers, compression)
        (options.recompresses, options.maximumLayers, options.isStargz) = (recompress, maxLayers, estargz)
        return options
    }
}
