import ArgumentParser
import Bytes
import LayerFSCommands
import LayerFSKit
import LayerStore
import OCI
import Registry
import RegistryProtocol
import Trees

/// `layerfs pull docker://HOST/REPOSITORY:TAG`
struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Fetch an image from a registry.",
        discussion: """
            Every blob is checked while it comes, and what was cut off goes on where it ended. Layers that the store can give back \
            are not fetched. URLs that an image names for its layers are never followed.
            """)

    @Argument(help: ArgumentHelp("docker://HOST/REPOSITORY:TAG, or @DIGEST.", valueName: "place"))
    var place: String

    @Option(
        name: [.customShort("t"), .customLong("tag")],
        help: ArgumentHelp("What it is to be called (default: as there, without the host).", valueName: "name"),
        transform: Name.init)
    var name: Name?

    @Flag(name: .long, help: "Let the name stand for what is pulled when it stands for something else.")
    var replace = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Into an OCI image layout instead of the store; one that exists is added to.", valueName: "dir"))
    var oci: String?

    @Option(
        name: .long, help: ArgumentHelp("Which image of several (default: this machine's).", valueName: "os/arch"))
    var platform: String?

    @Flag(name: .long, help: "All images of several, and the index that names them.")
    var allPlatforms = false

    @OptionGroup(title: "Registry") var connection: ConnectionOptions
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        if allPlatforms, platform != nil {
            throw ValidationError("--all-platforms takes all of them: leave --platform out.")
        }
        if oci != nil, name != nil || replace {
            throw ValidationError("A layout names images as the registry does: -t and --replace are for the store.")
        }
    }

    /// What the options ask for: where from, and with which choice.
    func source() throws -> PullToLayout {
        let place = try RegistryPlace(parsing: place)
        var pull = PullToLayout(
            place: place, options: try connection.registryOptions(host: place.host, isVerbose: outputOptions.verbose),
            credentials: connection.credentials)
        if allPlatforms { pull.choice = .all }
        if let platform { pull.choice = .platform(try Platform(parsing: platform)) }
        return pull
    }

    /// The same into the store.
    func work(_ pull: PullToLayout) -> PullToStore {
        var work = PullToStore(pull: pull)
        (work.options.name, work.options.replacing) = (name, replace)
        work.scratchDirectory = Environment.current.temporaryDirectory
        return work
    }

    func run() async throws {
        let console = outputOptions.console
        let pull = try source()
        if let oci { return try await fetch(pull, into: ByteString(argument: oci), console) }
        let (fetched, imported) = try await work(pull).run(storeOptions, showing: console)
        try TransferText.sayFetched(pull.place, fetched.summary, imported, to: console, asJSON: jsonOption.json)
    }

    private func fetch(_ pull: PullToLayout, into layout: ByteString, _ console: Console) async throws {
        let board = TransferBoard()
        let summary = try await console.whileWatching({ board.states }) {
            try await interruptibly { try await pull.run(layout, board) }
        }
        if jsonOption.json { return try console.result(json: TransferReport(summary)) }
        console.note(TransferText.pulled(pull.place, "\(layout)", summary))
    }
}
