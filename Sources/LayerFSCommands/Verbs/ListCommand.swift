import ArgumentParser
import LayerFSKit
import LayerStore

/// `layerfs ls`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the layers and images of the store.", aliases: ["list"])

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let items = try ListStore(storeOptions.workspace(.reading)).run()
        for item in items {
            if let damage = item.damage { console.warn("the \(item.kind.rawValue) '\(item.name)': \(damage)") }
        }
        if jsonOption.json { return try console.result(json: items) }
        if outputOptions.quiet {
            for item in items { try console.result(item.name) }
            return
        }
        // Where names are is told only if they are in several stores.
        let showsStores = items.contains { $0.store != nil }
        var table = TextTable(
            [
                ("NAME", .left), ("KIND", .left), ("ENTRIES", .right), ("SIZE", .right), ("CREATED", .left),
                ("FROM", .left),
            ] + (showsStores ? [("STORE", .left)] : []))
        for item in items {
            table.add(
                [
                    item.name, item.kind.rawValue, "\(item.entries)", "\(ByteCount(item.size))", item.created,
                    item.source,
                ] + (showsStores ? [item.store ?? "-"] : []))
        }
        for line in table.lines { try console.result(line) }
    }
}
