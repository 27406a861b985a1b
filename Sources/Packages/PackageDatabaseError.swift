public import Bytes
public import Posix

/// Why a package database does not answer.
public enum PackageDatabaseError: Error, Hashable, CustomStringConvertible {
    case unreadable(SystemError)
    /// The root has no such package, or only its configuration files.
    case notInstalled(ByteString, near: [String])

    public var description: String {
        switch self {
        case .unreadable(let error): "cannot read the package database: \(error)"
        case .notInstalled(let name, let near):
            "the package '\(name)' is not installed here"
                + (near.isEmpty ? "" : ". Did you mean \(near.joined(separator: " or "))?")
        }
    }
}
