import ArgumentParser
import Bytes
import ImageTransport
import LayerFSKit

/// `layerfs validate TARGET`
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check every digest, size and diffID of an image layout or archive, whoever wrote it.",
        discussion: """
            The target is a directory, a file, or a place: oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:NAME]. \
            All images of all platforms are read, and blobs that nothing names. Exits with 5 when something is wrong; \
            all that is wrong is reported. Needs no store.
            """)

    @Argument(help: ArgumentHelp("A layout or an archive.", valueName: "target"))
    var target: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How many times larger than its stored bytes a layer may become; 0 for any (default: 100, beyond 256 MiB).",
            valueName: "number"))
    var maxRatio: UInt64?

    @OptionGroup var outputOptions: OutputOptions
    @OptionGroup var jsonOption: JSONOption

    func run() throws {
        let console = outputOptions.console
        var limit = ExpansionLimit()
        limit.ratio = maxRatio ?? limit.ratio
        if maxRatio == 0 { limit = .none }
        let report = try console.whileWatching { progress in
            try ValidateImage.run(
                ByteString(argument: target), limit: limit, scratch: Environment.current.temporaryDirectory,
                progress: progress)
        }
        if jsonOption.json {
            try console.result(json: report)
        } else {
            for problem in report.problems { try console.result(ValidationText.line(problem)) }
            console.note(ValidationText.summary(report))
        }
        if !report.isSound { throw DamagedImage(count: report.problems.count) }
    }
}
