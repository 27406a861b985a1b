import Bytes
import Posix
import SystemPackage

/// Where something is to be written: the directory that holds it, open, and its name there.
///
/// Held open, so that what is staged beside the target and the rename that publishes it are in the same place whatever
/// happens to the path meanwhile.
struct TargetPath: ~Copyable {
    let parent: OwnedDescriptor
    let name: ByteString

    /// - Throws: ``TransportError/invalidTarget(_:reason:)`` for a path that names no new file, `SystemError` when the
    ///   directory cannot be opened.
    init(_ path: ByteString) throws {
        var trimmed = path
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.bytes.removeLast() }
        let slash = trimmed.bytes.lastIndex(of: UInt8(ascii: "/"))
        name = slash.map { ByteString(trimmed.bytes[($0 + 1)...]) } ?? trimmed
        guard TreePath.isComponent(name) else {
            throw TransportError.invalidTarget(path, reason: "it does not end with the name of a file or directory")
        }
        let directory: ByteString =
            switch slash {
            case nil: "."
            case 0: "/"
            case let slash?: ByteString(trimmed.bytes[..<slash])
            }
        parent = try Files.open(directory, [.readOnly, .directory])
    }

    /// What is there now; nil when nothing is. Symbolic links are followed.
    func kind() throws(SystemError) -> FileKind? {
        do {
            return try parent.status(of: name, followingLink: true).kind
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }
}

extension TargetPath {
    /// Whether a symbolic link has the name.
    func isLink() throws(SystemError) -> Bool {
        do {
            return try parent.status(of: name).kind == .symlink
        } catch  where error.errno == .noSuchFileOrDirectory {
            return false
        }
    }
}
