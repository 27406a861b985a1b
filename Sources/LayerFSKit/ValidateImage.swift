public import Bytes
public import ImageTransport
import Posix
import SystemPackage

/// Checks an image layout or archive, whoever wrote it. Needs no store.
public enum ValidateImage {
    /// - Parameters:
    ///   - target: a place as `oci:DIR:REF`, or the path of a layout's directory or of an archive.
    ///   - scratch: where an archive that is compressed is laid out.
    /// - Throws: `TransportError` when there is no image, ``LayerFSError``; what is wrong with an image is in the report.
    public static func run(
        _ target: ByteString, limit: ExpansionLimit = ExpansionLimit(), scratch: ByteString,
        progress: ProgressMeter = .none
    ) throws -> ValidationReport {
        let location = try ImageLocation(parsing: target)
        let path = location?.path ?? target
        let validation = ImageValidation(limit: limit, scratch: scratch) { try progress.advance(by: $0) }
        progress.begin("checking", total: 0)
        do {
            switch location?.transport {
            case .oci: return try validation.run(layout: path, reference: location?.reference)
            case .ociArchive: return try validation.run(archive: path, reference: location?.reference)
            case .dockerArchive:
                return try validation.run(archive: path, reference: location?.reference, onlyDocker: true)
            case .docker:
                throw LayerFSError.malformedOption(
                    name: "target", value: "\(target)",
                    expected: "a layout or archive on this machine; pull the image first")
            case nil:
                let isDirectory = try Files.status(path).kind == .directory
                return isDirectory ? try validation.run(layout: path) : try validation.run(archive: path)
            }
        } catch let error as SystemError {
            guard error.errno == .noSuchFileOrDirectory, error.path != scratch else {
                throw LayerFSError.system(step: "read \(path)", error)
            }
            throw LayerFSError.noSuchTarget(path)
        }
    }
}
