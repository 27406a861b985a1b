import ArgumentParser
import Bytes
import LayerFSKit

/// What is added beside programs and what they need.
struct SourceOptions: ParsableArguments {
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
    var isEmpty: Bool { file.isEmpty && dir.isEmpty && filesFrom.isEmpty }

    func validateUse() throws {
        if isEmpty, chown != nil || chmod != nil {
            throw ValidationError("--chown and --chmod are for --file, --dir and --files-from.")
        }
    }

    /// Puts what these options say into `request`.
    func apply(to request: inout AddRequest) throws {
        request.files = try file.map { try PathMapping(ByteString(argument: $0)) }
        request.files += try filesFrom.flatMap { try FileLists.read(ByteString(argument: $0)) }
        request.directories = try dir.map { try PathMapping(ByteString(argument: $0)) }
        request.excluded = try exclude.map { try PathGlob(ByteString(argument: $0)) }
        request.allowed = allow.map { ByteString(argument: $0) }
        request.owner = try chown.map { try OwnershipOption.owner($0) }
        request.mode = try chmod.map { try OwnershipOption.mode($0) }
    }
}
