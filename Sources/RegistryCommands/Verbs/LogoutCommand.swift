import ArgumentParser
import LayerFSCommands
import Registry

/// `layerfs logout HOST`
struct LogoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forget the credentials for a registry.")

    @Argument(help: ArgumentHelp("The registry, as docker.io or localhost:5000.", valueName: "host"))
    var host: String

    @Option(
        name: .customLong("authfile"),
        help: ArgumentHelp(
            "The file with credentials (default: $REGISTRY_AUTH_FILE, else those of podman and Docker).",
            valueName: "file"))
    var authFile: String?

    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        let host = try RegistryHost.name(host)
        var connection = ConnectionOptions()
        connection.authFile = authFile
        let places = try connection.credentials.erase(host: host)
        outputOptions.console.note(
            places.isEmpty
                ? "there are no credentials for \(host)"
                : "forgot the credentials for \(host) in \(places.joined(separator: " and "))")
    }
}
