public import Bytes
import SystemPackage

extension OwnedDescriptor {
    /// Removes `name` in this directory, and all below it when it is a directory. What is absent is removed already.
    ///
    /// Symbolic links are removed, never followed. Memory and stack grow with the depth of the tree, not its size.
    public borrowing func removeTree(_ name: ByteString) throws(SystemError) {
        do {
            guard try status(of: name).kind == .directory else { return try removeFile(name) }
            let directory = try open(name, [.readOnly, .directory, .noFollow])
            for entry in try directory.names() { try directory.removeTree(entry.name) }
            try removeDirectory(name)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return
        }
    }
}
