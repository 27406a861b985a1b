import ArgumentParser
import Bytes
import LayerFSCommands
import OCI
import Registry

/// `layerfs pull docker://HOST/REPOSITORY:TAG --oci DIR`
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch an image from a registry.",
        discussion: """
            Every blob is checked while it comes, and what was cut off goes on where it ended. URLs that an image names for its \
            layers are never followed.
            """)

    @Argument(help: ArgumentHelp("docker://HOST/REPOSITORY:TAG, or @DIGEST.", valueName: "place"))
    var place: String

    @Option(name: .long, help: ArgumentHelp("An OCI image layout; one that exists is added to.", valueName: "dir"))
    var oci: String

    @Option(
        name: .long, help: ArgumentHelp("Which image of several (default: this machine's).", valueName: "os/arch"))
    var platform: String?

    @Flag(name: .long, help: "All images of several, and the index that names them.")
    var allPlatforms = false

    @OptionGroup(title: "Registry") var connection: ConnectionOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        if allPlatforms, platform != nil {
            throw ValidationError("--all-platforms takes all of them: leave --platform out.")
        }
    }

    func run() async throws {
        let console = outputOptions.console
        let place = try RegistryPlace(parsing: place)
        var pull = PullToLayout(
            place: place, options: try connection.registryOptions(host: place.host, isVerbose: outputOptions.verbose),
            credentials: connection.credentials)
        if allPlatforms { pull.choice = .all }
        if let platform { pull.choice = .platform(try Platform(parsing: platform)) }
        let (board, work, target) = (TransferBoard(), pull, ByteString(argument: oci))
        let summary = try await console.whileWatching({ board.states }) {
            try await interruptibly { try await work.run(target, board) }
        }
        if jsonOption.json { return try console.result(json: TransferReport(summary)) }
        console.note(TransferText.pulled(place, "\(target)", summary))
    }
}
