import ArgumentParser
import LayerFSKit
import LayerStore
import Trees

/// `layerfs check ROOT`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Prove that all programs of a root find what they need inside it.",
        discussion: """
            Looks at every executable and library of the composed tree, without writing it anywhere: interpreters, needed \
            libraries and the symbol versions asked of them, required dlopens, interpreters of scripts, and the root's own \
            command. Ends with 3, and lists what is lacking, when something is.
            """)

    @Argument(
        help: ArgumentHelp("A layer, an image or an expression.", valueName: "root"), transform: RootExpression.init)
    var expression: RootExpression

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let check = try CheckRoot(storeOptions.workspace(.reading)).run(expression)
        if jsonOption.json {
            try console.result(json: CheckReport(check))
        } else {
            for problem in check.problems { try CheckText.lines(problem).forEach { try console.result($0) } }
        }
        for remark in check.remarks { console.detail("\(remark)") }
        guard check.isSound else { throw UnsoundRoot(expression: expression, check: check) }
        console.note(CheckText.sound(check, expression))
    }
}
