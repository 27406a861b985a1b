public import Bytes
import SystemPackage

extension OwnedDescriptor {
    /// Removes `name` in this directory, and all below it when it is a directory. What is absent is removed already.
    ///
    /// Symbolic links are removed, never followed. A directory without the permission to empty it gets it, if it is the
    /// caller's. Memory and stack grow with the depth of the tree, not its size.
    public borrowing func removeTree(_ name: ByteString) throws(SystemError) {
        do {
            let status = try status(of: name)
            guard status.kind == .directory else { return try removeFile(name) }
            if status.permissions & 0o700 != 0o700, !CurrentProcess.isRoot { try setPermissions(0o700, of: name) }
            let directory = try open(name, [.readOnly, .directory, .noFollow])
            for entry in try directory.names() { try directory.removeTree(entry.name) }
            try removeDirectory(name)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return
        }
    }
}
