import ArgumentParser
import LayerFSKit
import LayerStore

/// How a container made from an image behaves.
struct ImageOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The command to run: words, or a JSON array (default: the first program).", valueName: "words"))
    var cmd: String?

    @Option(
        name: .long, help: ArgumentHelp("What the command is given to: words, or a JSON array.", valueName: "words"))
    var entrypoint: String?

    @Option(
        name: [.customShort("e"), .long], help: ArgumentHelp("A variable; may be repeated.", valueName: "NAME=value"))
    var env: [String] = []

    @Option(name: [.customShort("w"), .long], help: ArgumentHelp("The working directory.", valueName: "path"))
    var workdir: String?

    @Option(
        name: [.customShort("u"), .long], help: ArgumentHelp("The user, and perhaps group.", valueName: "user[:group]"))
    var user: String?

    @Option(name: [.customShort("l"), .long], help: ArgumentHelp("A label; may be repeated.", valueName: "name=value"))
    var label: [String] = []

    @Option(name: .long, help: ArgumentHelp("A port that is served; may be repeated.", valueName: "port[/protocol]"))
    var expose: [String] = []

    @Option(name: .long, help: ArgumentHelp("The signal that ends a container.", valueName: "signal"))
    var stopSignal: String?

    @Option(
        name: .long, help: ArgumentHelp("What the image runs on (default: what its programs do).", valueName: "os/arch")
    )
    var platform: String?

    /// The settings that these options make.
    ///
    /// - Throws: a validation error for a value that an image cannot hold.
    func settings() throws -> ImageSettings {
        var settings = ImageSettings()
        settings.command = try cmd.map { try ImageOptionValue.words($0, option: "--cmd") }
        settings.entrypoint = try entrypoint.map { try ImageOptionValue.words($0, option: "--entrypoint") }
        settings.environment = try env.map { try ImageOptionValue.assignment($0, option: "--env").text }
        settings.workingDirectory = try workdir.map { try ImageOptionValue.absolutePath($0, option: "--workdir") }
        settings.user = try user.map { try ImageOptionValue.user($0, option: "--user") }
        for text in label {
            let assignment = try ImageOptionValue.assignment(text, option: "--label")
            settings.labels[assignment.name] = assignment.value
        }
        settings.exposedPorts = try expose.map { try ImageOptionValue.port($0, option: "--expose") }.sorted()
        settings.stopSignal = try stopSignal.map { try ImageOptionValue.signal($0, option: "--stop-signal") }
        settings.platform = try platform.map { try ImageOptionValue.platform($0, option: "--platform") }
        return settings
    }
}
