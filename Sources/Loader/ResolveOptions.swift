public import Bytes

/// What can be chosen about a resolution.
public struct ResolveOptions: Sendable {
    /// The directories that program names are looked up in.
    public var path: [ByteString] = Self.defaultPath
    /// Directories searched as if they were in LD_LIBRARY_PATH. The caller's environment is not used.
    public var libraryPath: [ByteString] = []
    public var variants: VariantPolicy = .portable
    /// Where the programs will be started: relative names and search paths begin here.
    public var startDirectory: ByteString = "/"

    public init() {}

    /// What a root's programs find their commands in, unless told otherwise.
    public static let defaultPath: [ByteString] = [
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
    ]

    /// Which builds of a library for newer processors are taken beside the plain one.
    public enum VariantPolicy: Hashable, Sendable {
        /// Every one there is, and the plain file must exist: the result runs the same everywhere.
        case portable
        /// Those that the processor with these levels takes, as this machine's (``ProcessorLevels``).
        case levels([ByteString])
        case none
    }

    /// The directories of ``libraryPath``; a loader that has to be careful ignores them.
    func libraryDirectories(isSecure: Bool) -> [SearchDirectory] {
        guard !isSecure else { return [] }
        return libraryPath.map { path in
            let place = SearchPlace.libraryPath(path)
            return SearchDirectory(path: path.isEmpty || path.hasSuffix("/") ? path : path + "/", place: place)
        }
    }
}
