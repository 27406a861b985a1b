import ArgumentParser
import LayerFSKit
import LayerStore
import Trees

/// `layerfs compose A+B -t NAME`
struct ComposeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compose",
        abstract: "Stack layers into an image.",
        discussion: """
            Layers are stacked from left to right. Two layers that have different content on one path are a conflict. Without \
            -t the layers are stacked and conflicts reported, but nothing is stored. What a program of the root lacks is a \
            warning, as `layerfs check` finds it; with --strict it is a reason to refuse.
            """)

    @Argument(
        help: ArgumentHelp("Layers or images with + between them.", valueName: "expression"),
        transform: RootExpression.init)
    var expression: RootExpression

    @Option(
        name: [.customShort("t"), .customLong("tag")], help: ArgumentHelp("The image's name.", valueName: "name"),
        transform: Name.init)
    var name: Name?

    @Option(
        name: .long,
        help: "What to do where layers disagree: error, last, first, or overlay: replace as container engines do.")
    var onConflict: ConflictPolicy?

    @Flag(name: .long, help: "Refuse a root in which a program lacks something.")
    var strict = false

    @Flag(name: .long, help: "Let the name stand for the new image when it stands for another.")
    var replace = false

    @OptionGroup(title: "Configuration") var configurationOptions: ImageOptions
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        if name == nil, try configurationOptions.settings() != ImageSettings() {
            throw ValidationError("A configuration is kept with an image: give it a name with -t.")
        }
    }

    func run() throws {
        let console = outputOptions.console
        let workspace = try storeOptions.workspace(name == nil ? .reading : .changing)
        let result = try ComposeImage(workspace).run(
            expression, as: name, settings: configurationOptions.settings(), onConflict: onConflict, strict: strict,
            replacing: replace)
        for conflict in result.composition.settled {
            console.warn(SummaryText.settled(conflict, result.selection.onConflict))
        }
        CheckText.warnings(result.check, expression).forEach(console.warn)
        if jsonOption.json { return try console.result(json: CompositionReport(result, name: name)) }
        console.note(SummaryText.composed(result, name: name))
    }
}
