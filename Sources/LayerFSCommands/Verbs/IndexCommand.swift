import ArgumentParser
import Bytes
import LayerFSKit
import LayerStore
import Trees

/// `layerfs index create -t NAME IMAGE…`
struct IndexCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Images for several platforms under one name.",
        subcommands: [Create.self])

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make one image index of images for several platforms.",
            discussion: """
                `export` to oci: or oci-archive: and `push` hand over the index with all of its images; every other command takes \
                the one for this machine. The index keeps its images, whatever becomes of their names.
                """)

        @Argument(
            help: ArgumentHelp(
                "Images of the store, one for each platform; oci:DIR[:REF], oci-archive: and docker-archive: are imported.",
                valueName: "image"))
        var sources: [String]

        @Option(
            name: [.customShort("t"), .customLong("tag")], help: ArgumentHelp("The index's name.", valueName: "name"),
            transform: Name.init)
        var name: Name

        @Option(
            name: .long, help: ArgumentHelp("An annotation of the index; may be repeated.", valueName: "key=value"))
        var annotation: [String] = []

        @Flag(name: .long, help: "Let the name stand for the new index when it stands for something else.")
        var replace = false

        @OptionGroup var storeOptions: StoreOptions
        @OptionGroup var outputOptions: OutputOptions
        @OptionGroup var jsonOption: JSONOption

        func validate() throws {
            guard !sources.isEmpty else { throw ValidationError("Name the images.") }
            guard annotation.allSatisfy({ $0.contains("=") && !$0.hasPrefix("=") }) else {
                throw ValidationError("Write an annotation as KEY=VALUE.")
            }
        }

        func run() throws {
            let console = outputOptions.console
            let pairs = annotation.map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
            let annotations = Dictionary(pairs.map { (String($0[0]), String($0[1])) }) { $1 }
            let sources = try self.sources.map(CreateIndex.Source.init)
            let workspace = try storeOptions.workspace(.adding)
            let made = try console.whileWatching { progress in
                try CreateIndex(workspace, scratch: Environment.current.temporaryDirectory)
                    .run(sources, as: name, annotations: annotations, replacing: replace, progress: progress)
            }
            if jsonOption.json { return try console.result(json: IndexReport(made)) }
            for summary in made.imported { console.note(SummaryText.imported(summary)) }
            console.note(SummaryText.indexed(made))
        }
    }
}
