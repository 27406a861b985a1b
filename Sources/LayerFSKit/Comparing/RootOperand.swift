public import Bytes
public import ImageTransport
import Posix
public import Trees

/// One side of a comparison.
public enum RootOperand: Hashable, Sendable {
    /// In the store.
    case expression(RootExpression)
    case image(ImageLocation)
    /// A directory of this machine, or an archive file.
    case path(ByteString)

    /// A place with a transport (`oci:DIR`), a path (which begins with `/` or `.`), or a name or expression.
    ///
    /// - Throws: ``NameError``, `TransportError` for a malformed place.
    public init(parsing text: ByteString) throws {
        if let location = try ImageLocation(parsing: text) {
            self = .image(location)
        } else if text.hasPrefix("/") || text.hasPrefix(".") {
            self = .path(text)
        } else {
            self = .expression(try RootExpression(text.utf8Text ?? "\(text)"))
        }
    }

    /// Whether a store is needed for it.
    public var needsStore: Bool { if case .expression = self { true } else { false } }
}
