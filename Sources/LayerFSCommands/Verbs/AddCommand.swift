import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore
import Posix
import Trees

/// `layerfs add PROGRAM…`
struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Take programs and all they need to start into the store, as layers.",
        discussion: """
            Each program, package and preset becomes a layer of its own name; with --name all become one layer. Libraries are found as the dynamic \
            loader finds them, but nothing is run. What cannot be found is an error, and nothing is stored then.

            Files and directories go into the layer of the one program named, or the layer --name names. Two sources that \
            want different things on one path are a conflict.
            """)

    @Argument(help: ArgumentHelp("Names on PATH, or paths.", valueName: "program"))
    var programs: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("The name of the layer that holds all programs.", valueName: "name"),
        transform: Name.init)
    var name: Name?

    @Flag(name: .long, help: "Let the name stand for the new content when it stands for other content.")
    var replace = false

    @Flag(name: .long, help: "Say what would be added and what it would cost; write nothing.")
    var dryRun = false

    @OptionGroup(title: "Closures") var closureOptions: ClosureOptions
    @OptionGroup(title: "Sources") var sourceOptions: SourceOptions
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        if programs.contains("") { throw ValidationError("A program's name is empty.") }
        if programs.isEmpty, sourceOptions.isEmpty {
            throw ValidationError("Name at least one program, or what else to add: --file, --dir, --package, --preset.")
        }
        try sourceOptions.validateUse(programs: programs)
    }

    /// What the options ask for.
    func request() throws -> AddRequest {
        var request = AddRequest()
        request.programs = programs.map { ByteString(argument: $0) }
        request.name = name
        try sourceOptions.apply(to: &request)
        return request
    }

    func run() throws {
        let console = outputOptions.console
        // Everything is found before a store is made or changed: what is missing leaves no trace.
        let opening = dryRun ? nil : storeOptions.openingExisting()
        let environment = Environment.current
        let root = try closureOptions.rootPath()
        let planner = PlanLayers(
            root: root, searchPath: closureOptions.searchPath(environment), home: environment.home,
            options: closureOptions.resolveOptions(rules: .all))
        var layers = try planner.run(request())
        for layer in layers {
            layer.plan.warnings.forEach { console.warn("\(layer.name): \($0)") }
            layer.plan.notes.forEach { console.detail("\(layer.name): \($0)") }
        }
        RuleReport.lines(for: layers).forEach(console.note)
        if dryRun { return try preview(layers, root: root, console) }
        let workspace = try opening?.value() ?? storeOptions.workspace(.adding)
        let hint = PresetHint.line(for: layers)
        let additions = try console.whileWatching { progress in
            // Handed over: nothing keeps a plan of a million files longer than it is needed.
            var requests: [LayerRequest] = []
            swap(&requests, &layers)
            return try AddLayers(workspace, root: root).run(consume requests, replacing: replace, progress: progress)
        }
        if jsonOption.json { return try console.result(json: additions.map(AdditionReport.init)) }
        for addition in additions { console.note(SummaryText.added(addition)) }
        if let hint { console.note(hint) }
    }
}
