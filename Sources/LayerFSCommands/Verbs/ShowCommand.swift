import ArgumentParser
import LayerFSKit
import LayerStore
import Trees

/// `layerfs show ROOT`
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what a layer, an image or an expression is made of.")

    @Argument(
        help: ArgumentHelp("A layer, an image or an expression.", valueName: "root"), transform: RootExpression.init)
    var expression: RootExpression

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let shown = try ShowRoot(storeOptions.workspace(.reading)).run(expression)
        if jsonOption.json { return try console.result(json: shown) }
        try console.result("root      \(shown.expression)")
        try console.result("platform  \(shown.platform)")
        if !shown.entrypoint.isEmpty { try console.result("entry     \(shown.entrypoint.joined(separator: " "))") }
        try console.result("command   \(shown.command.joined(separator: " "))")
        try console.result("size      \(ByteCount(shown.size)) in \(shown.entries.count) entries")
        for layer in shown.layers {
            try console.result("layer     \(layer.name)  \(ByteCount(layer.size))  \(layer.created)  \(layer.source)")
            try console.result("          diffID \(layer.diffID)")
        }
        try console.result("")
        var table = TextTable([
            ("MODE", .right), ("OWNER", .left), ("SIZE", .right), ("PATH", .left), ("PACKAGE", .left),
        ])
        for entry in shown.entries {
            table.add([
                entry.mode, "\(entry.uid):\(entry.gid)", entry.kind == "file" ? "\(ByteCount(entry.size))" : entry.kind,
                entry.path + (entry.target.map { " -> \($0)" } ?? ""), entry.package ?? "",
            ])
        }
        for line in table.lines { try console.result(line) }
    }
}
