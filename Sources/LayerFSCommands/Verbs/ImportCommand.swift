import ArgumentParser
import Bytes
import ImageTransport
import LayerFSKit
import LayerStore
import OCI
import Trees

/// `layerfs import SOURCE`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take an image that others made, a tar or a directory into the store.",
        discussion: """
            SOURCE is oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF], a tar (- is standard input; compressed by \
            gzip, zstd, xz or not), or a directory. An image becomes an image, anything else a layer; every file is stored once, \
            and all digests are checked before anything is named. `export` gives an image back as it came.
            """)

    @Argument(help: ArgumentHelp("Where it is.", valueName: "source"))
    var source: String

    @Option(
        name: [.customShort("t"), .customLong("tag")],
        help: ArgumentHelp("What it is to be called (default: its name there).", valueName: "name"),
        transform: Name.init)
    var name: Name?

    @Flag(name: .long, help: "Let the name stand for what is imported when it stands for something else.")
    var replace = false

    @Option(
        name: .long, help: ArgumentHelp("Of an image for several platforms, this one.", valueName: "os/arch[/variant]"))
    var platform: String?

    @Flag(name: .long, help: "All of them, each as NAME-OS-ARCH.")
    var allPlatforms = false

    @Flag(
        name: .long, help: "Keep the compressed bytes of layers that layerfs cannot make again: export is then exact.")
    var keepCompressed = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How many times its size a compressed layer over 256 MiB may have; 0 for any.", valueName: "n"))
    var maxRatio: UInt64 = 100

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        if platform != nil, allPlatforms { throw ValidationError("Choose --platform or --all-platforms.") }
    }

    private func options() throws -> ImportOptions {
        var options = ImportOptions()
        (options.name, options.replacing, options.keepsCompressed) = (name, replace, keepCompressed)
        if maxRatio == 0 { options.limit = .none } else { options.limit.ratio = maxRatio }
        if let platform { options.platforms = .only(try Platform(parsing: platform)) }
        if allPlatforms { options.platforms = .all }
        return options
    }

    func run() throws {
        let console = outputOptions.console
        let environment = Environment.current
        let source = try ImportSource(ByteString(argument: source))
        let workspace = try storeOptions.workspace(.adding)
        let imported = try console.whileWatching { progress in
            try Import(workspace, scratch: environment.temporaryDirectory, home: environment.home)
                .run(source, options(), progress: progress)
        }
        if jsonOption.json { return try console.result(json: imported.map(ImportReport.init)) }
        for summary in imported { console.note(SummaryText.imported(summary)) }
    }
}
