import ArgumentParser
import Bytes
import ImageTransport
import LayerFSCommands
import LayerFSKit
import LayerStore
import OCI
import Registry

/// `layerfs push ROOT docker://HOST/REPOSITORY:TAG`
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Store a root, or an image layout, in a registry.",
        discussion: """
            Only what the registry lacks is sent; the tag moves when all of it is there. Without a root, what --attach names is \
            attached to the image that the tag names.
            """)

    @Argument(
        help: ArgumentHelp(
            "A layer, an image, an expression or oci:DIR[:REF]; then docker://HOST/REPOSITORY:TAG.",
            valueName: "[root] place"))
    var operands: [String]

    @Option(name: .long, help: "Layers of the image: diff (only what the stack below lacks), full, or flat (one).")
    var layers = ExportImage.LayerForm.diff

    @Option(name: .long, help: "How layers are compressed: gzip or none.")
    var compression = Compression.gzip

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

    func run() async throws {
        let console = outputOptions.console
        let place = try RegistryPlace(parsing: operands[operands.count - 1])
        let source = try operands.count == 2 ? PushSource(operands[0]) : nil
        let image = try source.map { try prepare($0, console) }
        var push = PushImage(
            place: place, options: try connection.registryOptions(host: place.host, isVerbose: outputOptions.verbose),
            credentials: connection.credentials)
        push.mountSources = mountFrom
        push.artifacts = try artifacts.chosen()
        push.scratchDirectory = Environment.current.temporaryDirectory
        let (board, work) = (TransferBoard(), push)
        let result = try await console.whileWatching({ board.states }) {
            try await interruptibly { try await work.run(image, board) }
        }
        if jsonOption.json {
            return try console.result(json: TransferReport(result.summary, attached: result.attached))
        }
        if let source = source.map({ _ in operands[0] }) {
            console.note(TransferText.pushed(source, place, result.summary))
        }
        for (artifact, attached) in zip(work.artifacts, result.attached) {
            console.note(
                TransferText.attached("\(artifact.path)", artifact.type, result.summary.manifest, attached))
        }
    }

    private func prepare(_ source: PushSource, _ console: Console) throws -> PushSource.Prepared {
        switch source {
        case .layout(let path, let reference): return try PushSource.find(reference, in: path)
        case .root(let root):
            var options = ExportImage.Options()
            (options.form, options.compression) = (layers, compression)
            options.scratchDirectory = Environment.current.temporaryDirectory
            let workspace = try storeOptions.workspace(.reading)
            return try console.whileWatching { progress in
                try PushSource.export(root, from: workspace, options, progress: progress)
            }
        }
    }
}
