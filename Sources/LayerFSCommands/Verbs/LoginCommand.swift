import ArgumentParser

/// `layerfs login`
struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Keep credentials for a registry.", helpNames: [])

    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("See layerfs login --help.", valueName: "host"))
    var arguments: [String] = []

    func run() throws { try RegistryProgram.become(verb: "login", arguments) }
}
