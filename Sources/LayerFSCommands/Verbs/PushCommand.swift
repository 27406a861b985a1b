import ArgumentParser

/// `layerfs push`
struct PushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Store a root in a registry.", helpNames: [])

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("See layerfs push --help.", valueName: "root docker://host/repository:tag"))
    var arguments: [String] = []

    func run() throws { try RegistryProgram.become(verb: "push", arguments) }
}
