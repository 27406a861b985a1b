import OCI
import Posix
import Tar

/// One thing that is wrong with an image layout or archive.
public struct ImageProblem: Hashable, Sendable, Codable {
    /// What kind of thing it is; the texts are stable.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// A file that a document names is not there.
        case missing
        /// The digest of a file's bytes is not the one it is called by.
        case digest
        /// A file has another size than its descriptor says.
        case size
        /// The digest of a layer's content is not the one in the configuration.
        case diffID = "diff-id"
        /// Manifest and configuration have different numbers of layers or steps.
        case count
        /// A document is not what the specification says.
        case document
        /// A type that the document does not agree with itself about.
        case mediaType = "media-type"
        /// A compressed stream is damaged.
        case compression
        /// A compressed stream becomes larger than allowed.
        case expansion
        /// The content of a layer is no tar archive.
        case tar
        /// A member of a layer makes no sense there.
        case member
        /// Index and configuration say different platforms.
        case platform
        /// A file of the layout has a name that it must not have.
        case name
        /// It cannot be checked: an algorithm or type that layerfs does not know.
        case unsupported
    }

    public var kind: Kind
    /// The file it is about: `blobs/sha256/…`, `index.json`.
    public var file: String
    /// How it is reached: `image 1.0 (linux/amd64), layer 2`; empty for the layout itself.
    public var place: String
    public var message: String

    init(_ kind: Kind, _ file: String, _ place: String, _ message: String) {
        (self.kind, self.file, self.place, self.message) = (kind, file, place, message)
    }

    /// The problem that `error` is.
    ///
    /// - Throws: `error` when it says nothing of the image: an interruption, a file that cannot be read.
    init(_ error: any Error, _ file: String, _ place: String) throws {
        let kind: Kind
        switch error {
        case let error as TransportError:
            guard let found = Self.kind(error) else { throw error }
            kind = found
        case is TarError: kind = .tar
        case OCIError.unsupportedDigest: kind = .unsupported
        case is OCIError: kind = .document
        default: throw error
        }
        self.init(kind, file, place, "\(error)")
    }

    private static func kind(_ error: TransportError) -> Kind? {
        switch error {
        case .missing: .missing
        case .digestMismatch: .digest
        case .sizeMismatch: .size
        case .diffIDMismatch: .diffID
        case .layerCount: .count
        case .malformedDocument(_, .unsupportedDigest): .unsupported
        case .malformedDocument: .document
        case .gzip, .damagedStream: .compression
        case .expandsTooMuch: .expansion
        case .invalidLayer: .member
        case .unsupportedMediaType: .unsupported
        default: nil
        }
    }
}
