import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore
import OCI
import Trees

/// `layerfs diff A B`
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare two roots, wherever they are.",
        discussion: """
            Each is a name or expression; an image as oci:DIR[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:NAME]; or the \
            path of a directory or an archive. What is both, a name of the store and a file here, is taken as the name; ./NAME is \
            always the file. Lines begin with - for what only the first has, \
            + for what only the second has, ~ for what differs. Exits with 0 when they are equal, 1 when they differ, 2 or more \
            when they could not be compared.
            """)

    @Argument(help: ArgumentHelp("A root.", valueName: "a"))
    var old: String

    @Argument(help: ArgumentHelp("Another root.", valueName: "b"))
    var new: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Leave out type, content, target, device, mode, owner, time or xattrs; may be repeated.",
            valueName: "aspect"))
    var ignore: [EntryAspect] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Which image of several (default: that of this machine).", valueName: "os/arch"))
    var platform: String?

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let comparison: TreeComparison
        do {
            comparison = try compare()
        } catch {
            throw ComparisonFailure(cause: error)
        }
        if jsonOption.json {
            try outputOptions.console.result(json: ComparisonReport(comparison))
        } else {
            for difference in comparison.differences {
                try outputOptions.console.result(DifferenceText.line(difference))
            }
        }
        if !comparison.differences.isEmpty { throw ExitCode(1) }
    }

    private func compare() throws -> TreeComparison {
        let operands = try [old, new].map { text in
            try RootOperand(parsing: ByteString(argument: text)) { expression in
                try storeOptions.existingWorkspace()?.hasAllNames(of: expression) ?? false
            }
        }
        let workspace = operands.contains { $0.needsStore } ? try storeOptions.workspace(.reading) : nil
        let platform = try platform.map { try Platform(parsing: $0) }
        return try outputOptions.console.whileWatching { progress in
            let (time, scratch) = try (
                Environment.current.sourceDateEpoch(), Environment.current.temporaryDirectory
            )
            return try CompareRoots(workspace, sourceDateEpoch: time, scratch: scratch).run(
                operands[0], operands[1], ignoring: Set(ignore), platform: platform, progress: progress)
        }
    }
}
