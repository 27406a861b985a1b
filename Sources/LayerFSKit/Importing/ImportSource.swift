public import Bytes
public import ImageTransport
import Posix
import SystemPackage

/// What is imported.
public enum ImportSource: Hashable, Sendable {
    /// An image in a layout or archive.
    case image(ImageLocation)
    /// A tar, compressed or not; `-` is standard input.
    case tar(ByteString)
    case directory(ByteString)

    /// - Parameter text: `oci:DIR[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:REF]`, `dir:DIR`, `tar:FILE`, or a path: a
    ///   directory is one, an image layout a layout, anything else a tar.
    /// - Throws: ``TransportError/malformedLocation(_:reason:)``, `SystemError` when a path leads nowhere.
    public init(_ text: ByteString) throws {
        if text.hasPrefix("dir:") {
            self = .directory(ByteString(text.bytes.dropFirst(4)))
        } else if text.hasPrefix("tar:") {
            self = .tar(ByteString(text.bytes.dropFirst(4)))
        } else if let location = try ImageLocation(parsing: text) {
            guard location.transport != .docker else {
                throw TransportError.malformedLocation(text, reason: "`layerfs pull` takes images from registries")
            }
            self = .image(location)
        } else if text == Self.standardInput {
            self = .tar(text)
        } else if try Files.status(text).kind == .directory {
            let isLayout = try Files.statusIfPresent(text + "/oci-layout") != nil
            self = isLayout ? .image(ImageLocation(.oci, text)) : .directory(text)
        } else {
            self = .tar(text)
        }
    }

    /// The path that stands for standard input.
    public static let standardInput: ByteString = "-"

    /// What a person who gives no name most likely means: that of the file, without what tells its format.
    var usualName: String? {
        switch self {
        case .image: return nil
        case .tar(let path), .directory(let path):
            guard var name = path.split(on: UInt8(ascii: "/")).last(where: { !$0.isEmpty })?.utf8Text else {
                return nil
            }
            for ending in [".gz", ".xz", ".zst", ".tar", ".tgz", ".txz", ".tzst"] where name.hasSuffix(ending) {
                name.removeLast(ending.utf8.count)
            }
            return name
        }
    }
}
