import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore
import Loader

/// `layerfs resolve PROGRAM…`
struct ResolveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Say what programs need to start, and why. Needs no store.",
        discussion: "Many programs are one run: what they share is looked up once.")

    @Argument(help: ArgumentHelp("Names on PATH, or paths.", valueName: "program"))
    var programs: [String]

    @Flag(help: "How to say it.")
    var form = Form.list

    @OptionGroup(title: "Closures") var closureOptions: ClosureOptions
    @OptionGroup var outputOptions: OutputOptions

    /// The forms of the result.
    enum Form: String, EnumerableFlag {
        /// One path a line, bytes as they are: files, and the links on the way to them.
        case list
        /// A tree with the reason for each file.
        case explain
        case json

        static func help(for value: Form) -> ArgumentHelp? {
            switch value {
            case .list: "One path a line (default)."
            case .explain: "A tree with the reason for each file."
            case .json: "As JSON."
            }
        }
    }

    func run() throws {
        let console = outputOptions.console
        let closure = try ResolvePrograms(
            root: closureOptions.rootPath(), searchPath: closureOptions.searchPath(.current),
            options: closureOptions.resolveOptions(rules: .none)
        ).closure(of: programs.map { ByteString(argument: $0) })
        switch form {
        case .list:
            let lines = closure.files.filter { $0.kind != .directory }.flatMap {
                $0.path.bytes.bytes + [UInt8(ascii: "\n")]
            }
            try console.result(bytes: lines)
        case .explain:
            for line in ClosureExplanation(closure).lines { try console.result(line) }
        case .json: try console.result(json: ClosureReport(closure))
        }
        for note in closure.notes {
            if note.isWarning { console.warn("\(note)") } else { console.detail("\(note)") }
        }
        try UnresolvedClosure.check(closure)
    }
}
