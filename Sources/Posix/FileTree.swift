public import Bytes
import SystemPackage

/// Work on whole directories.
public enum FileTree {
    /// Removes `name` of `directory` and everything below it, following no link and crossing into no other file system's
    /// root by name: every step is relative to an open directory.
    ///
    /// - Throws: the first failure; what could be removed before it is gone.
    public static func remove(_ name: ByteString, in directory: borrowing OwnedDescriptor) throws(SystemError) {
        do {
            try directory.removeFile(name)
            return
        } catch where error.errno == .isDirectory || error.errno == .notPermitted {
            // EISDIR on Linux; POSIX says EPERM.
        }
        try emptyDirectory(name, in: directory)
        try directory.removeDirectory(name)
    }

    /// As ``remove(_:in:)`` where failing changes nothing for the caller: leftovers that the next command takes away.
    public static func removeQuietly(_ name: ByteString, in directory: borrowing OwnedDescriptor) {
        do { try remove(name, in: directory) } catch {}
    }

    private static func emptyDirectory(
        _ name: ByteString, in directory: borrowing OwnedDescriptor
    ) throws(SystemError) {
        let inner: OwnedDescriptor
        do {
            inner = try directory.open(name, [.readOnly, .directory, .noFollow])
        } catch where error.errno == .permissionDenied {
            try directory.setPermissions(0o700, of: name)
            return try emptyDirectory(name, in: directory)
        }
        let entries = try inner.names()
        // A directory without write permission can be emptied by its owner once it has it.
        if !entries.isEmpty, try inner.status().permissions & 0o300 != 0o300 { try inner.setPermissions(0o700) }
        for entry in entries { try remove(entry.name, in: inner) }
    }
}
