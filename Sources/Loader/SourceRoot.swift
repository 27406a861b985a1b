public import Bytes
public import Posix
import SystemPackage

/// What is taken as `/`: the machine's own root, another system's under `--root`, or a tree that is on no disk yet.
///
/// Paths are walked component by component as the kernel would after chroot(2): absolute link targets begin at this
/// root, `..` of the root is the root, and after 40 links the walk fails. Nothing outside is ever reached. What was
/// looked up is remembered, absent names too, so that one examination of the root sees it in one state.
public final class SourceRoot {
    /// Where the root lies on this machine: `/`, or the directory given; `/` too for a tree that is on no disk.
    public let path: ByteString
    /// Where relative paths of a command line begin: the current directory for `/`, otherwise the root itself.
    public let workingDirectory: ByteString

    let files: any RootFiles
    /// The files when several threads may read them.
    var sharedFiles: (any RootFiles & Sendable)? { files as? DirectoryFiles }
    private var nodes: [TreePath: Result<RootNode, LookupFailure>] = [:]
    private var walks: [ByteString: Result<ResolvedPath, LookupFailure>] = [:]

    /// Opens the directory at `path`.
    public init(_ path: ByteString = "/") throws(SystemError) {
        self.path = path
        files = try DirectoryFiles(path)
        workingDirectory = path == "/" ? try Files.currentDirectory() : "/"
    }

    /// A root whose files are `files`.
    public init(_ files: any RootFiles) {
        self.files = files
        (path, workingDirectory) = ("/", "/")
    }

    /// Follows `path`, absolute or relative to the root, to the file it leads to.
    public func resolve(_ path: ByteString) throws(LookupFailure) -> ResolvedPath {
        if let known = walks[path] { return try known.get() }
        let result: Result<ResolvedPath, LookupFailure>
        do { result = .success(try walk(path)) } catch { result = .failure(error) }
        walks[path] = result
        return try result.get()
    }

    /// The status of the link at `path`, itself not followed.
    func linkStatus(_ path: TreePath) throws(LookupFailure) -> FileStatus { try node(path).status }

    /// Whether `path` leads to a directory.
    public func isDirectory(_ path: ByteString) -> Bool {
        (try? resolve(path).status.kind) == .directory
    }

    /// Opens the file that was found at `found`.
    ///
    /// - Throws: ESTALE when another file has taken its place since.
    public func open(_ found: ResolvedPath, _ flags: OpenFlags) throws(SystemError) -> OwnedDescriptor {
        try files.open(found, flags)
    }

    /// The names in the directory at `path`; empty when there is none or it cannot be read.
    public func names(in path: ByteString) -> [ByteString] {
        guard let found = try? resolve(path), found.status.kind == .directory else { return [] }
        return files.names(in: found.path, found.status.identity)
    }

    /// The path by which this machine knows `path` of the root.
    public func hostPath(of path: TreePath) -> ByteString {
        if self.path == "/" { return path.bytes }
        return path.isRoot ? self.path : self.path + path.bytes
    }

    private func walk(_ literal: ByteString) throws(LookupFailure) -> ResolvedPath {
        guard !literal.isEmpty else { throw LookupFailure(reason: .notFound, at: literal) }
        guard literal.count < Self.maximumPathLength, !literal.contains(0) else {
            throw LookupFailure(reason: .invalidName, at: literal)
        }
        var walk = Walk(literal, from: try node(.root).status)
        while let component = walk.nextComponent() {
            guard walk.current.status.kind == .directory else {
                throw LookupFailure(reason: .notDirectory, at: walk.current.path.bytes)
            }
            if component == "." { continue }
            if component == ".." {
                if !walk.current.path.isRoot { walk.passed.append(walk.current.path) }
                walk.current = (walk.current.path.parent, try node(walk.current.path.parent).status)
                continue
            }
            let path = walk.current.path.appending(component)
            let node = try node(path)
            if let target = node.target {
                guard walk.links.count < Self.maximumLinks else {
                    throw LookupFailure(reason: .tooManyLinks, at: path.bytes)
                }
                guard !target.isEmpty else { throw LookupFailure(reason: .notFound, at: path.bytes) }
                walk.links.append(PathLink(path: path, target: target))
                walk.push(target)
                if target.bytes.first == UInt8(ascii: "/") { walk.current = (.root, try self.node(.root).status) }
            } else {
                walk.current = (path, node.status)
            }
        }
        if walk.mustBeDirectory, walk.current.status.kind != .directory {
            throw LookupFailure(reason: .notDirectory, at: walk.current.path.bytes)
        }
        return ResolvedPath(
            literal: literal, path: walk.current.path, links: walk.links, passedDirectories: walk.passed,
            status: walk.current.status)
    }

    /// PATH_MAX, the final NUL included, and the kernel's MAXSYMLINKS.
    private static let maximumPathLength = 4096
    private static let maximumLinks = 40

    private func node(_ path: TreePath) throws(LookupFailure) -> RootNode {
        if let known = nodes[path] { return try known.get() }
        let result: Result<RootNode, LookupFailure>
        do {
            result = .success(try files.node(at: path))
        } catch {
            result = .failure(LookupFailure(reason: .init(error.errno), at: path.bytes))
        }
        nodes[path] = result
        return try result.get()
    }
}

/// The state of one walk: where it is, and what is still to come.
private struct Walk {
    var current: (path: TreePath, status: FileStatus)
    var links: [PathLink] = []
    var passed: [TreePath] = []
    private(set) var mustBeDirectory = false
    /// Components still to come, the next one last.
    private var pending: [ByteString] = []

    init(_ literal: ByteString, from root: FileStatus) {
        current = (.root, root)
        push(literal)
    }

    mutating func nextComponent() -> ByteString? { pending.popLast() }

    mutating func push(_ path: ByteString) {
        // A trailing slash of the last link's target asks for a directory just as one of the path itself.
        if pending.isEmpty, path.bytes.last == UInt8(ascii: "/") { mustBeDirectory = true }
        pending.append(contentsOf: path.bytes.split(separator: UInt8(ascii: "/")).reversed().map { ByteString($0) })
    }
}
