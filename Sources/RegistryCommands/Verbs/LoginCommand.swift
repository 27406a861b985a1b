import ArgumentParser
import LayerFSCommands
import Registry

/// `layerfs login HOST`
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Check credentials with a registry, and keep them.",
        discussion: """
            They are kept where podman and Docker look for them: with the credential helper that is configured, else in a file \
            that only its owner can read. A password is never an argument, which others could see.
            """)

    @Argument(help: ArgumentHelp("The registry, as docker.io or localhost:5000.", valueName: "host"))
    var host: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The user (default: asked for).", valueName: "name"))
    var username: String?

    @Flag(name: .long, help: "Read the password, one line, from standard input.")
    var passwordStdin = false

    @OptionGroup(title: "Registry") var connection: ConnectionOptions
    @OptionGroup var outputOptions: OutputOptions

    func validate() throws {
        if passwordStdin, username == nil {
            throw ValidationError("With --password-stdin, name the user with --username.")
        }
    }

    func run() async throws {
        let host = try RegistryHost.name(host)
        let credential = try SecretInput.credential(host: host, user: username, isPiped: passwordStdin)
        let options = try connection.registryOptions(host: host, isVerbose: outputOptions.verbose)
        try await interruptibly {
            try await RegistryConnection.with(host: host, options, credential: { credential }) { try await $0.logIn() }
        }
        let kept = try connection.credentials.store(credential, host: host)
        outputOptions.console.note("logged in to \(host); the credentials are kept in \(kept)")
    }
}
