import ArgumentParser
import Bytes
import LayerFSCommands
import OCI

/// Files that are attached to an image.
struct ArtifactOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("A file to attach to the image, as an SBOM; may be repeated.", valueName: "file"))
    var attach: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What the attached files are: one type for all, or one for each; as application/spdx+json.",
            valueName: "type"))
    var artifactType: [String] = []

    func validate() throws {
        if attach.isEmpty, !artifactType.isEmpty {
            throw ValidationError("--artifact-type says what an attached file is: name one with --attach.")
        }
        if !attach.isEmpty, artifactType.count != 1, artifactType.count != attach.count {
            throw ValidationError("Say what is attached: --artifact-type once, or once for each --attach.")
        }
        for type in artifactType where (try? MediaType(parsing: type)) == nil {
            throw ValidationError("'\(type)' is no media type, as application/spdx+json.")
        }
    }

    /// The files and their types.
    func chosen() throws -> [PushImage.Artifact] {
        let types = try artifactType.map { (text) throws(OCIError) in try MediaType(parsing: text) }
        return attach.enumerated().map { index, path in
            PushImage.Artifact(path: ByteString(argument: path), type: types.count == 1 ? types[0] : types[index])
        }
    }
}
