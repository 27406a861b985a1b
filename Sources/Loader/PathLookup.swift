public import Bytes
public import Posix
public import SystemPackage

/// A path that was walked to its end: what is there, and all that was met on the way.
public struct ResolvedPath: Hashable, Sendable {
    /// The path as it was given, absolute.
    public let literal: ByteString
    /// The file itself: no component is a symbolic link.
    public let path: TreePath
    /// The symbolic links followed, in order, each named by its real directory. All of them must exist for ``literal``
    /// to lead to ``path``.
    public let links: [PathLink]
    /// Directories that the walk entered only to leave them by `..`; they must exist too.
    public let passedDirectories: [TreePath]
    public let status: FileStatus
}

/// A symbolic link met on a walk.
public struct PathLink: Hashable, Sendable {
    /// The link's own place: its parent has no links.
    public let path: TreePath
    /// The target as stored.
    public let target: ByteString
}

/// Why a path leads nowhere.
public struct LookupFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: Reason
    /// The component where the walk ended.
    public let at: ByteString

    public init(reason: Reason, at: ByteString) {
        self.reason = reason
        self.at = at
    }

    public enum Reason: Hashable, Sendable {
        case notFound
        case notDirectory
        case permissionDenied
        /// More than 40 symbolic links (path_resolution(7)).
        case tooManyLinks
        /// Longer than PATH_MAX, a component longer than NAME_MAX, or a NUL inside.
        case invalidName
        case failed(Errno)
    }

    public var description: String {
        switch reason {
        case .notFound: "no such file or directory: \(at)"
        case .notDirectory: "not a directory: \(at)"
        case .permissionDenied: "permission denied: \(at)"
        case .tooManyLinks: "too many symbolic links: \(at)"
        case .invalidName: "not a usable file name: \(at)"
        case .failed(let errno): "\(errno): \(at)"
        }
    }
}

extension LookupFailure.Reason {
    init(_ errno: Errno) {
        switch errno {
        case .noSuchFileOrDirectory: self = .notFound
        case .notDirectory: self = .notDirectory
        case .permissionDenied: self = .permissionDenied
        case .tooManySymbolicLinkLevels: self = .tooManyLinks
        case .fileNameTooLong: self = .invalidName
        default: self = .failed(errno)
        }
    }
}
