import ArgumentParser
import LayerFSKit
import LayerStore

/// `layerfs du`
struct DiskUsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "du",
        abstract: "Say what the store takes on disk, and what plain copies would.")

    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        let usage = try storeOptions.workspace(.reading).store.diskUsage()
        if jsonOption.json { return try console.result(json: usage) }
        var table = TextTable([
            ("NAME", .left), ("KIND", .left), ("ENTRIES", .right), ("SIZE", .right), ("OWN", .right),
        ])
        for named in usage.names {
            table.add([
                named.name, named.kind.rawValue, "\(named.entries)", "\(ByteCount(named.bytes))",
                named.kind == .layer ? "\(ByteCount(named.unique))" : "-",
            ])
        }
        for line in table.lines { try console.result(line) }
        let copies = usage.names.reduce(0) { $0 + $1.bytes }
        try console.result("")
        try console.result("as plain copies  \(ByteCount(copies))")
        try console.result(
            "in the store     \(ByteCount(usage.contentBytes)) in \(usage.contents) contents; on disk "
                + "\(ByteCount(usage.blobs.allocated)) in \(usage.blobs.count) blobs, "
                + "\(ByteCount(usage.nodes.allocated)) in \(usage.nodes.count) further nodes")
    }
}
