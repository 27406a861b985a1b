public import Bytes
import ELF

/// What can be chosen about a resolution.
public struct ResolveOptions: Sendable {
    /// The directories that program names are looked up in.
    public var path: [ByteString] = Self.defaultPath
    /// Directories searched as if they were in LD_LIBRARY_PATH. The caller's environment is not used.
    public var libraryPath: [ByteString] = []
    public var variants: VariantPolicy = .portable
    public var dlopen: DlopenPolicy = .recommended
    /// Known dependencies that no file states, as ``RuleTable/rules``; none keeps to what the loader does by itself.
    public var rules: [DependencyRule] = []
    /// Whether the libraries of the root's /etc/ld.so.preload are taken, for every program of glibc.
    public var includesPreloads = false
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
        /// Those that the processor with these levels takes, as this machine's (``ProcessorLevels/host()``).
        case levels([ByteString])
        case none
    }

    /// Which of the libraries that `.note.dlopen` notes name are taken. A required one that is not found is unresolved;
    /// another, or one that lacks something itself, is left out and noted.
    public enum DlopenPolicy: String, Hashable, Sendable, Codable, CaseIterable {
        case none, required, recommended, suggested

        /// The weakest priority that is followed.
        var weakest: DlopenNote.Priority? {
            switch self {
            case .none: nil
            case .required: .required
            case .recommended: .recommended
            case .suggested: .suggested
            }
        }
    }

    /// The directories of `list`, as LD_LIBRARY_PATH separates them (ld.so(8)).
    public static func directories(of list: ByteString) -> [ByteString] {
        list.split(on: UInt8(ascii: ":")).flatMap { $0.split(on: UInt8(ascii: ";")) }
    }

    /// `path` from where the programs will be started, without the `./` that it may begin with.
    func absolute(_ path: ByteString) -> ByteString {
        path.absolute(from: startDirectory)
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

extension ByteString {
    /// This path, from `directory` when it is relative, without the `./` that it may begin with.
    func absolute(from directory: ByteString) -> ByteString {
        if bytes.first == UInt8(ascii: "/") { return self }
        var rest = bytes[...]
        while rest.starts(with: "./".utf8) {
            rest = rest.dropFirst(2).drop { $0 == UInt8(ascii: "/") }
        }
        return (directory == "/" ? "/" : directory + "/") + ByteString(rest)
    }
}
