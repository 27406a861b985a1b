import ArgumentParser

/// `layerfs pull`
struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch an image from a registry.", helpNames: [])

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("See layerfs pull --help.", valueName: "docker://host/repository:tag"))
    var arguments: [String] = []

    func run() throws { try RegistryProgram.become(verb: "pull", arguments) }
}
