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

    /// A place with a transport (`oci:DIR`), a path that begins with `/` or `.`, a name or expression of the store, or any other
    /// path: a name of the store comes before a file that is called the same.
    ///
    /// - Parameter isKnown: whether the store has all names of an expression; asked only where there is such a file, too.
    /// - Throws: ``NameError`` for what is neither, `TransportError` for a malformed place, what `isKnown` throws.
    public init(parsing text: ByteString, isKnown: (RootExpression) throws -> Bool) throws {
        if let location = try ImageLocation(parsing: text) {
            self = .image(location)
            return
        }
        let isFile = try Files.statusIfPresent(text) != nil
        if text.hasPrefix("/") || text.hasPrefix(".") || isFile && text.utf8Text == nil {
            self = .path(text)
            return
        }
        do {
            let expression = try RootExpression(text.utf8Text ?? "\(text)")
            self = try isFile && !isKnown(expression) ? .path(text) : .expression(expression)
        } catch let error as NameError {
            guard isFile else { throw error }
            self = .path(text)
        }
    }

    /// Whether a store is needed for it.
    public var needsStore: Bool { if case .expression = self { true } else { false } }
}
