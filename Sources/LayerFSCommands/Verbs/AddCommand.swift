import ArgumentParser
import Bytes
import LayerFSKit
import Loader
import LayerStore
import Trees

/// `layerfs add PROGRAM…`
struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Take programs and all they need to start into the store, as layers.",
        discussion: """
            Each program becomes a layer of its own name; with --name all become one layer. Libraries are found as the dynamic \
            loader finds them, but nothing is run. What cannot be found is an error, and nothing is stored then.
            """)

    @Argument(help: ArgumentHelp("Names on PATH, or paths.", valueName: "program"))
    var programs: [String]

    @Option(name: .long, help: ArgumentHelp("The name of the layer that holds all programs.", valueName: "name"), transform: Name.init)
    var name: Name?

    @Flag(name: .long, help: "Let the name stand for the new content when it stands for other content.")
    var replace = false

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        if programs.isEmpty || programs.contains("") { throw ValidationError("Name at least one program.") }
    }

    func run() throws {
        let console = outputOptions.console
        let environment = Environment.current
        // Everything is found before a store is touched: what is missing leaves no trace.
        let resolve = ResolvePrograms(searchPath: environment.searchPath)
        let words = programs.map { ByteString(argument: $0) }
        let requests: [AddPrograms.Request]
        if let name {
            requests = [AddPrograms.Request(name: name, closure: try resolve.closure(of: words))]
        } else {
            requests = try resolve.closures(of: words.map { [$0] }).map { try AddPrograms.Request($0) }
        }
        for request in requests {
            try UnresolvedClosure.check(request.closure)
            request.closure.notes.forEach { console.detail("\(request.name): \($0)") }
        }
        let workspace = try storeOptions.workspace(.adding)
        let additions = try console.whileWatching { progress in
            try AddPrograms(workspace).run(requests, replacing: replace, progress: progress)
        }
        if jsonOption.json { return try console.result(json: additions.map(AdditionReport.init)) }
        for addition in additions { console.note(SummaryText.added(addition)) }
    }
}
