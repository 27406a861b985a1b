import ArgumentParser
import Bytes
import LayerFSKit

/// `layerfs umount DIR`
struct UnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umount",
        abstract: "Take away what layerfs mounted.",
        discussion:
            "Any other mount is left alone. Changes that were written with `mount --writable` stay where they are.")

    @Argument(help: ArgumentHelp("The directory that a root is mounted on.", valueName: "dir"))
    var directory: String

    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        try UnmountRoot().run(at: ByteString(argument: directory))
        outputOptions.console.note("unmounted \(directory)")
    }
}
