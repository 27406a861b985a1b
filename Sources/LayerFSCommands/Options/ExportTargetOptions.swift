import ArgumentParser
import Bytes
import ImageTransport
import LayerFSKit

/// Where an export goes: exactly one of these.
struct ExportTargetOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("An OCI image layout; one that exists is added to.", valueName: "dir"))
    var oci: String?

    @Option(name: .long, help: ArgumentHelp("An OCI image layout as one tar.", valueName: "file"))
    var ociArchive: String?

    @Option(name: .long, help: ArgumentHelp("An archive for docker load.", valueName: "file"))
    var docker: String?

    @Option(name: .long, help: ArgumentHelp("The tree itself as one tar.", valueName: "file"))
    var tar: String?

    private var choices: [ExportImage.Target] {
        [
            oci.map { .layout(ByteString(argument: $0)) }, ociArchive.map { .archive(ByteString(argument: $0)) },
            docker.map { .archive(ByteString(argument: $0)) }, tar.map { .tar(ByteString(argument: $0)) },
        ].compactMap { $0 }
    }

    /// A flat tar is for tar and `docker import`, plain; layers of images are compressed.
    var usualCompression: Compression { tar == nil ? .gzip : .none }

    func validateChoice(json: Bool) throws {
        guard choices.count == 1 else {
            throw ValidationError("Name one target: --oci DIR, --oci-archive FILE, --docker FILE or --tar FILE.")
        }
        if oci == "-" {
            throw ValidationError("An image layout is a directory; --oci-archive - writes to standard output.")
        }
        if json, [ociArchive, docker, tar].contains("-") {
            throw ValidationError("--json would mix with the archive on standard output.")
        }
    }

    func choice() throws -> ExportImage.Target {
        guard let choice = choices.first else { throw ValidationError("Name a target.") }
        return choice
    }
}
