import ArgumentParser
import LayerFSCommands
import Registry
import RegistryProtocol

/// `layerfs ls-remote docker://HOST/REPOSITORY[:TAG]`
struct ListRemoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls-remote",
        abstract: "List the tags of a repository, or what an image of it is and what refers to it.",
        discussion: """
            With a tag or digest: a line for the manifest, one for each image of an index, one for each artifact attached, as an \
            SBOM: what it is, its digest, its size and its platform or type.
            """)

    @Argument(help: ArgumentHelp("docker://HOST/REPOSITORY, perhaps with :TAG or @DIGEST.", valueName: "place"))
    var place: String

    @OptionGroup(title: "Registry") var connection: ConnectionOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() async throws {
        let console = outputOptions.console
        let place = try RegistryPlace(parsing: place)
        let list = ListRemote(
            place: place, options: try connection.registryOptions(host: place.host, isVerbose: outputOptions.verbose),
            credentials: connection.credentials)
        if place.isRepository {
            let tags = try await interruptibly { try await list.tags() }
            if jsonOption.json { return try console.result(json: ["tags": tags]) }
            for tag in tags { try console.result(tag) }
            return
        }
        let items = try await interruptibly { try await list.items() }
        if jsonOption.json { return try console.result(json: items) }
        for item in items {
            try console.result(
                "\(item.kind)\t\(item.digest)\t\(item.size)\t\(item.platform ?? item.artifactType ?? "")")
        }
    }
}
