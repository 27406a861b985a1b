public import Bytes

/// Two sources of one layer that want different things on one path.
public struct SourceConflict: Hashable, Sendable, CustomStringConvertible {
    /// How the two differ.
    public enum Reason: String, Hashable, Sendable {
        case content = "different content"
        case target = "different link target"
        case metadata = "different mode, owner or attributes"
        case kind = "different file types"
        /// One wants a link or file where the other has files below.
        case notDirectory = "a file or link where the other needs a directory"
    }

    public var path: TreePath
    /// Who wanted the path first: `file ./motd:/etc/motd`.
    public var first: String
    public var second: String
    public var reason: Reason

    public var description: String { "\(path): \(first) and \(second) have \(reason.rawValue)" }
}
