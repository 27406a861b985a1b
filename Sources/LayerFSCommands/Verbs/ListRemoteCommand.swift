import ArgumentParser

/// `layerfs ls-remote`
struct ListRemoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls-remote", abstract: "List what a registry has.", helpNames: [])

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("See layerfs ls-remote --help.", valueName: "docker://host/repository[:tag]"))
    var arguments: [String] = []

    func run() throws { try RegistryProgram.become(verb: "ls-remote", arguments) }
}
