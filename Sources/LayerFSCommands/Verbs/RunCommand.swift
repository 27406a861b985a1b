import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore
import Sandbox
import Trees

/// `layerfs run ROOT [-- COMMAND…]`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a command in a root, without root and without a daemon.",
        discussion: """
            The command sees the root under a throw-away overlay: what it writes is gone when it ends, and nothing reaches the \
            store. Its exit code is passed on; 125 means that layerfs failed, 126 that the command cannot be executed, 127 \
            that there is none, 128 and a number that this signal ended it.
            """)

    @Argument(
        help: ArgumentHelp("A layer, an image or an expression.", valueName: "root"), transform: RootExpression.init)
    var expression: RootExpression

    @Option(
        name: [.customShort("e"), .long], help: ArgumentHelp("A variable; may be repeated.", valueName: "NAME=value"))
    var env: [String] = []

    @Option(name: [.customShort("w"), .long], help: ArgumentHelp("The directory to start in.", valueName: "path"))
    var workdir: String?

    @Option(name: [.customShort("u"), .long], help: ArgumentHelp("The user to run as.", valueName: "user[:group]"))
    var user: String?

    @OptionGroup var storeOptions: StoreOptions

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp(
            "The command and its arguments (default: the image's).", valueName: "command"))
    var command: [String] = []

    func run() throws {
        var options = RunRoot.Options()
        options.command = command.drop { $0 == "--" }.map { ByteString(argument: $0) }
        options.environment = try env.map { try ImageOptionValue.assignment($0, option: "--env").text }
        options.workingDirectory = try workdir.map { try ImageOptionValue.absolutePath($0, option: "--workdir") }
        options.user = try user.map { try ImageOptionValue.user($0, option: "--user") }
        options.terminal = Console.standardInputIsTerminal ? Environment.current.value("TERM") : nil
        let status: Int32
        do {
            let run = try RunRoot(
                storeOptions.workspace(.reading), temporaryDirectory: Environment.current.temporaryDirectory)
            let ended = try run.run(expression, options)
            status = ended.code
        } catch {
            throw RunFailure(error)
        }
        if status != 0 { throw ExitCode(status) }
    }
}
