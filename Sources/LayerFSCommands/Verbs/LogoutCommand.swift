import ArgumentParser

/// `layerfs logout`
struct LogoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forget the credentials for a registry.", helpNames: [])

    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("See layerfs logout --help.", valueName: "host"))
    var arguments: [String] = []

    func run() throws { try RegistryProgram.become(verb: "logout", arguments) }
}
