import ArgumentParser

/// How much is said, and how.
package struct OutputOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Say nothing but results and errors.")
    package var quiet = false

    @Flag(name: [.short, .long], help: "Say more about what is done.")
    package var verbose = false

    @Option(name: .long, help: "Show progress on standard error: auto, plain or none.")
    var progress = ProgressStyle.auto

    package init() {}

    /// The console that these options ask for.
    package var console: Console { Console(isQuiet: quiet, isVerbose: verbose, progress: progress) }
}

/// The choice of a result for programs.
package struct JSONOption: ParsableArguments {
    @Flag(name: .long, help: "Write the result as JSON.")
    package var json = false

    package init() {}
}

/// How progress is shown.
package enum ProgressStyle: String, ExpressibleByArgument, CaseIterable {
    /// A bar on a terminal, sparse lines elsewhere.
    case auto
    /// Lines.
    case plain
    case none
}
