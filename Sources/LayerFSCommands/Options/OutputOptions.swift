import ArgumentParser

/// How much is said, and how.
struct OutputOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Say nothing but results and errors.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Say more about what is done.")
    var verbose = false

    @Option(name: .long, help: "Show progress on standard error: auto, plain or none.")
    var progress = ProgressStyle.auto

    /// The console that these options ask for.
    var console: Console { Console(isQuiet: quiet, isVerbose: verbose, progress: progress) }
}

/// The choice of a result for programs.
struct JSONOption: ParsableArguments {
    @Flag(name: .long, help: "Write the result as JSON.")
    var json = false
}

/// How progress is shown.
enum ProgressStyle: String, ExpressibleByArgument, CaseIterable {
    /// A bar on a terminal, sparse lines elsewhere.
    case auto
    /// Lines.
    case plain
    case none
}
