public import Bytes
import CLinux
import Glibc
import SystemPackage

extension OwnedDescriptor {
    /// Opens `path`, relative to this directory, without following a symbolic link anywhere and without leaving this
    /// directory (openat2(2), RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; component by component on kernels before 5.6).
    ///
    /// Meant for paths whose links were followed before: what was a directory then and is a link now is an error.
    ///
    /// - Throws: ELOOP when a component is a symbolic link.
    public borrowing func openContained(
        _ path: ByteString, _ flags: OpenFlags
    ) throws(SystemError) -> OwnedDescriptor {
        let (number, shown) = (rawValue, self.path(of: path))
        do {
            let opened = try path.withCPath(for: "openat2") { (name) throws(SystemError) in
                try retrying("openat2", shown) {
                    // RESOLVE_NO_SYMLINKS 0x04, RESOLVE_BENEATH 0x08
                    clinux_openat2(number, name, UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC)), 0, 0x0c)
                }
            }
            return OwnedDescriptor(adopting: opened, path: shown)
        } catch  where error.errno == .noFunction || error.errno == .notPermitted {
            // Old kernels do not know the call; some sandboxes answer EPERM to calls they do not know.
            return try openStepwise(path, flags)
        }
    }

    private borrowing func openStepwise(
        _ path: ByteString, _ flags: OpenFlags
    ) throws(SystemError) -> OwnedDescriptor {
        var components = path.split(on: UInt8(ascii: "/")).filter { !$0.isEmpty && $0 != "." }
        guard !components.contains("..") else { throw SystemError("openat", path, .invalidArgument) }
        guard let last = components.popLast() else { return try open(".", flags) }
        var directory = try open(".", [.path, .directory])
        for component in components {
            directory = try directory.open(component, [.path, .directory, .noFollow])
        }
        return try directory.open(last, flags.union(.noFollow))
    }
}
