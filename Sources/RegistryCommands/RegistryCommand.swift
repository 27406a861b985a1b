package import ArgumentParser
import LayerFSCommands

/// The command line of `layerfs-registry`, which `layerfs` runs for these verbs.
package struct RegistryCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "layerfs",
        abstract: "Images in registries: the part of layerfs that speaks to the network.",
        version: "layerfs-registry \(LayerFSVersion.text)",
        subcommands: [
            PushCommand.self, PullCommand.self, ListRemoteCommand.self, LoginCommand.self, LogoutCommand.self,
        ])

    package init() {}
}
