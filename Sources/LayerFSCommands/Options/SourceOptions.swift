import ArgumentParser
import Bytes
import LayerFSKit

/// What is added beside programs and what they need.
struct SourceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "An installed Debian package: its files, and what its programs and libraries need.", valueName: "name"))
    var package: [String] = []

    @Flag(name: .long, help: "The package that owns each program, too.")
    var restOfPackage = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Data that programs want: base, certs, tz, locale, gconv, terminfo, nss, passwd or dev; a layer of that name.",
            valueName: "preset"))
    var preset: [String] = []

    @Option(name: .long, help: ArgumentHelp("Presets in the layer of each program.", valueName: "preset,…"))
    var with: [String] = []

    @Flag(name: .long, help: "Packages with the installed packages that they depend on.")
    var withDepends = false

    @Flag(name: .long, help: "Packages with their documentation and translations.")
    var withDocs = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A file, in the layer at DST or where it lies here; may be repeated.", valueName: "src[:dst]"))
    var file: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A directory with all below it; links are kept, devices and sockets left out.", valueName: "src[:dst]"))
    var dir: [String] = []

    @Option(name: .long, help: ArgumentHelp("Files, one SRC[:DST] a line; - is standard input.", valueName: "file"))
    var filesFrom: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What a log of strace -f -y says was opened; programs keep their closures.", valueName: "file"))
    var trace: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Leave out paths of the layer: *, ?, [a-z], and ** for any directories; programs keep what they need.",
            valueName: "glob"))
    var exclude: [String] = []

    @Option(name: .long, help: ArgumentHelp("The owner of the files and directories named here.", valueName: "uid:gid"))
    var chown: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Their permissions, octal; directories can be searched by whoever can read them.", valueName: "mode"))
    var chmod: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Take a file that does not belong into an image: shadow, keys, home directories, /proc, /sys.",
            valueName: "path")
    )
    var allow: [String] = []

    /// Whether these options name anything to be added.
    var isEmpty: Bool { hasNoFiles && package.isEmpty && preset.isEmpty && trace.isEmpty }

    private var hasNoFiles: Bool { file.isEmpty && dir.isEmpty && filesFrom.isEmpty }

    func validateUse(programs: [String]) throws {
        if hasNoFiles, chown != nil || chmod != nil {
            throw ValidationError("--chown and --chmod are for --file, --dir and --files-from.")
        }
        if programs.isEmpty, restOfPackage {
            throw ValidationError("--rest-of-package is for programs; name a --package.")
        }
        if programs.isEmpty, !with.isEmpty { throw ValidationError("--with is for programs; name a --preset.") }
        for (isSet, option) in [(withDocs, "--with-docs"), (withDepends, "--with-depends")]
        where isSet && package.isEmpty && !restOfPackage {
            throw ValidationError("\(option) is for --package and --rest-of-package.")
        }
    }

    /// Puts what these options say into `request`.
    func apply(to request: inout AddRequest) throws {
        request.files = try file.map { try PathMapping(ByteString(argument: $0)) }
        request.files += try filesFrom.flatMap { try FileLists.read(ByteString(argument: $0)) }
        request.directories = try dir.map { try PathMapping(ByteString(argument: $0)) }
        request.packages = package.map { ByteString(argument: $0) }
        request.presets = Self.words(preset)
        request.programPresets = Self.words(with)
        request.takesRestOfPackage = restOfPackage
        request.takesDocumentation = withDocs
        request.takesDependencies = withDepends
        request.traces = trace.map { ByteString(argument: $0) }
        request.excluded = try exclude.map { try PathGlob(ByteString(argument: $0)) }
        request.allowed = allow.map { ByteString(argument: $0) }
        request.owner = try chown.map { try OwnershipOption.owner($0) }
        request.mode = try chmod.map { try OwnershipOption.mode($0) }
    }

    /// The words between commas, each once.
    private static func words(_ options: [String]) -> [String] {
        options.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
            .reduce(into: []) { words, word in if !words.contains(word) { words.append(word) } }
    }
}
