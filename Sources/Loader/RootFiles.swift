public import Bytes
public import Posix
import SystemPackage

/// What a ``SourceRoot`` looks at: the files of a directory, or of a tree that is on no disk.
///
/// No method follows a link: every path's parents are directories.
public protocol RootFiles {
    /// What lies at `path`.
    ///
    /// - Throws: ENOENT when nothing does, ENOTDIR when its parent is no directory, or what the system says.
    func node(at path: TreePath) throws(SystemError) -> RootNode

    /// The names in the directory `identity` at `path`; empty when it cannot be read.
    func names(in path: TreePath, _ identity: FileIdentity) -> [ByteString]

    /// Opens the file `identity` at `path`.
    ///
    /// - Throws: ESTALE when another file has taken its place, or what the system says.
    func open(_ path: TreePath, _ identity: FileIdentity, _ flags: OpenFlags) throws(SystemError) -> OwnedDescriptor

    /// Whether the regular file at `path`, which is open as `file`, has the extended attribute `security.capability`.
    func hasCapabilities(_ path: TreePath, _ file: borrowing OwnedDescriptor) -> Bool
}

extension RootFiles {
    /// Opens the file that was found at `found`.
    func open(_ found: ResolvedPath, _ flags: OpenFlags) throws(SystemError) -> OwnedDescriptor {
        try open(found.path, found.status.identity, flags)
    }
}

/// One path of a root, links not followed.
public struct RootNode: Hashable, Sendable {
    public let status: FileStatus
    /// Of a symbolic link, as stored; otherwise nil.
    public let target: ByteString?

    public init(status: FileStatus, target: ByteString?) {
        self.status = status
        self.target = target
    }
}

/// The files of a directory on this machine.
final class DirectoryFiles: RootFiles, Sendable {
    private let descriptor: OwnedDescriptor

    init(_ path: ByteString) throws(SystemError) { descriptor = try Files.open(path, [.path, .directory]) }

    func node(at path: TreePath) throws(SystemError) -> RootNode {
        let status = try descriptor.status(of: Self.name(path))
        return RootNode(
            status: status, target: status.kind == .symlink ? try descriptor.linkTarget(of: Self.name(path)) : nil)
    }

    func names(in path: TreePath, _ identity: FileIdentity) -> [ByteString] {
        guard let directory = try? open(path, identity, [.readOnly, .directory]), let entries = try? directory.names()
        else { return [] }
        return entries.map(\.name)
    }

    func open(_ path: TreePath, _ identity: FileIdentity, _ flags: OpenFlags) throws(SystemError) -> OwnedDescriptor {
        // Without O_NONBLOCK, a fifo put there since would block for ever.
        let file = try descriptor.openContained(Self.name(path), flags.union(.nonBlocking))
        guard try file.status().identity == identity else {
            throw SystemError("open", file.path, .staleNFSFileHandle)
        }
        return file
    }

    /// File systems without extended attributes have no capabilities either.
    func hasCapabilities(_ path: TreePath, _ file: borrowing OwnedDescriptor) -> Bool {
        (try? file.extendedAttributes())?.contains { $0.name == "security.capability" } ?? false
    }

    private static func name(_ path: TreePath) -> ByteString { path.isRoot ? "." : path.relative }
}
