import ArgumentParser
import Bytes
import ImageTransport
import LayerFSKit

/// Where an export goes: exactly one of these, or a place.
struct ExportTargetOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("An OCI image layout; one that exists is added to.", valueName: "dir"))
    var oci: String?

    @Option(name: .long, help: ArgumentHelp("An OCI image layout as one tar.", valueName: "file"))
    var ociArchive: String?

    @Option(name: .long, help: ArgumentHelp("An archive for docker load.", valueName: "file"))
    var docker: String?

    @Option(name: .long, help: ArgumentHelp("The tree itself as one tar.", valueName: "file"))
    var tar: String?

    @Option(name: .long, help: ArgumentHelp("A cpio archive (newc), for an initramfs.", valueName: "file"))
    var cpio: String?

    @Option(
        name: .long,
        help: ArgumentHelp("A bundle for runc and crun: config.json and a root of copies.", valueName: "dir"))
    var bundle: String?

    @Option(name: .long, help: ArgumentHelp("A squashfs, made by mksquashfs.", valueName: "file"))
    var squashfs: String?

    @Option(name: .long, help: ArgumentHelp("An erofs, made by mkfs.erofs.", valueName: "file"))
    var erofs: String?

    private var choices: [ExportImage.Target] {
        [
            oci.map { .layout(ByteString(argument: $0)) }, ociArchive.map { .archive(ByteString(argument: $0)) },
            docker.map { .dockerArchive(ByteString(argument: $0)) }, tar.map { .tar(ByteString(argument: $0)) },
            cpio.map { .cpio(ByteString(argument: $0)) }, bundle.map { .bundle(ByteString(argument: $0)) },
            squashfs.map { .squashfs(ByteString(argument: $0)) }, erofs.map { .erofs(ByteString(argument: $0)) },
        ].compactMap { $0 }
    }

    func validateChoice(place: String?, json: Bool) throws {
        guard choices.count + (place == nil ? 0 : 1) == 1 else {
            throw ValidationError(
                "Name one target: a place such as oci:DIR:TAG, or --oci DIR, --oci-archive FILE, --docker FILE or --tar FILE."
            )
        }
        // What is wrong with a place is said when it is used.
        guard let target = try? choice(place: place).target, target.path == ExportImage.Target.standardOutput else {
            return
        }
        if !target.isStream {
            throw ValidationError(
                "That target cannot be standard output; --oci-archive -, --docker -, --tar - and --cpio - can.")
        }
        if json { throw ValidationError("--json would mix with the archive on standard output.") }
    }

    /// The target, and the name that a place has after its path.
    func choice(place: String?) throws -> (target: ExportImage.Target, reference: String?) {
        if let choice = choices.first { return (choice, nil) }
        guard let place else { throw ValidationError("Name a target.") }
        guard let location = try ImageLocation(parsing: ByteString(argument: place)) else {
            throw ValidationError(
                "'\(ByteString(argument: place))' is no target: write oci:DIR[:REF], oci-archive:FILE[:REF] or docker-archive:FILE[:NAME]."
            )
        }
        return (try ExportImage.Target(location), location.reference)
    }
}
