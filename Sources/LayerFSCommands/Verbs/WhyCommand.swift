import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore
import Trees

/// `layerfs why ROOT PATH`
struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say why a path is in a root: what was asked for, and how that led to it.")

    @Argument(
        help: ArgumentHelp("A layer, an image or an expression.", valueName: "root"), transform: RootExpression.init)
    var expression: RootExpression

    @Argument(help: ArgumentHelp("A path in the root.", valueName: "path"))
    var path: String

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let answer = try WhyPath(storeOptions.workspace(.reading)).run(expression, ByteString(argument: path))
        if jsonOption.json { return try console.result(json: answer) }
        for line in WhyText.lines(answer) { try console.result(line) }
    }
}
