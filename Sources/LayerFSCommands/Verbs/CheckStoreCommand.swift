import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore

/// `layerfs fsck`
struct CheckStoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck",
        abstract: "Check every byte of the store, and say what damage touches.",
        discussion: """
            Reads all contents and documents, and compares names, trees, records, nodes and the index. Exits with 5 when \
            something is damaged. With --repair good copies are put in the place of damaged and missing contents: from nodes, \
            from the host's files that still have the content, from --from. Nothing is removed that is not replaced.
            """)

    @Flag(name: .long, help: "Repair what a good copy is found of; needs the store for itself.")
    var repair = false

    @Option(
        name: .long,
        help: ArgumentHelp("An image layout or another store to repair from; may be repeated.", valueName: "dir"))
    var from: [String] = []

    @Flag(name: .long, help: "Read only what does not look as it was left: size, time, mode, owner, inode.")
    var fast = false

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        if fast, repair { throw ValidationError("--repair reads everything: leave out --fast.") }
        if !from.isEmpty, !repair { throw ValidationError("--from says what to repair from: it needs --repair.") }
    }

    func run() throws {
        let console = outputOptions.console
        let check = CheckStore(try storeOptions.workspace(repair ? .collecting : .reading))
        let report = try console.whileWatching { progress in
            repair
                ? try check.repair(from: from.map { ByteString(argument: $0) }, progress: progress)
                : try check.run(fast: fast, progress: progress)
        }
        if jsonOption.json {
            try console.result(json: report)
        } else {
            for damage in report.damages { try IntegrityText.lines(damage).forEach(console.result) }
            report.foreignFiles.forEach { console.warn("\($0) is no file of layerfs") }
            console.note(IntegrityText.summary(report))
        }
        if !report.isSound { throw DamagedStore(report) }
    }
}
