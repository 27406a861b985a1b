public import Posix

/// Why a package database that is there was not read.
public enum PackageDatabaseError: Error, Hashable, CustomStringConvertible {
    case unreadable(SystemError)

    public var description: String {
        switch self {
        case .unreadable(let error): "cannot read the package database: \(error)"
        }
    }
}
