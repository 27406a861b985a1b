import Bytes
import CLinux
import Glibc
package import SystemPackage

/// Calls that are made for every file of a tree: names are parts of a longer text, and nothing is allocated for them.
extension OwnedDescriptor {
    /// The status of `name`, a C string; of the link itself. Nil when there is nothing.
    package borrowing func statusIfPresent(ofCString name: UnsafePointer<CChar>) throws(SystemError) -> FileStatus? {
        var status = clinux_status()
        while clinux_statx(rawValue, name, AT_SYMLINK_NOFOLLOW, &status) != 0 {
            switch clinux_errno() {
            case EINTR: continue
            case ENOENT: return nil
            default: throw SystemError.last("statx", path(of: ByteString(String(cString: name))))
            }
        }
        return FileStatus(status)
    }

    /// Gives the file `source`, a C string, of `directory` the further name `name` here (linkat(2)).
    ///
    /// - Returns: 0, or why it was refused.
    package borrowing func link(
        _ name: UnsafeRawBufferPointer, toCString source: UnsafePointer<CChar>, in directory: borrowing OwnedDescriptor
    ) throws(SystemError) -> Errno? {
        let (number, origin) = (rawValue, directory.rawValue)
        return try name.withCPath(for: "linkat") { (name) throws(SystemError) in
            linkat(origin, source, number, name, 0) == 0 ? nil : Errno(rawValue: clinux_errno())
        }
    }

    /// See ``makeDirectory(_:mode:)``.
    package borrowing func makeDirectory(_ name: UnsafeRawBufferPointer, mode: UInt16) throws(SystemError) {
        let number = rawValue
        try call("mkdirat", name) { mkdirat(number, $0, mode_t(mode)) }
    }

    /// See ``makeSymlink(_:target:)``.
    package borrowing func makeSymlink(
        _ name: UnsafeRawBufferPointer, target: UnsafeRawBufferPointer
    ) throws(SystemError) {
        let number = rawValue
        let directory = path
        try target.withCPath(for: "symlinkat") { (target) throws(SystemError) in
            try name.withCPath(for: "symlinkat") { (text) throws(SystemError) in
                _ = try retrying("symlinkat", Self.path(of: ByteString(Array(name)), in: directory)) {
                    symlinkat(target, number, text)
                }
            }
        }
    }

    /// See ``setOwner(uid:gid:of:)``.
    package borrowing func setOwner(uid: UInt32, gid: UInt32, of name: UnsafeRawBufferPointer) throws(SystemError) {
        let number = rawValue
        try call("fchownat", name) { fchownat(number, $0, uid, gid, AT_SYMLINK_NOFOLLOW) }
    }

    /// See ``setModified(_:of:)``.
    package borrowing func setModified(_ time: FileTime, of name: UnsafeRawBufferPointer) throws(SystemError) {
        let number = rawValue
        try call("utimensat", name) { name in
            time.withTimes { utimensat(number, name, $0, AT_SYMLINK_NOFOLLOW) }
        }
    }

    private borrowing func call(
        _ call: String, _ name: UnsafeRawBufferPointer, _ body: (UnsafePointer<CChar>) -> Int32
    ) throws(SystemError) {
        let directory = path
        try name.withCPath(for: call) { (text) throws(SystemError) in
            _ = try retrying(call, Self.path(of: ByteString(Array(name)), in: directory)) { body(text) }
        }
    }
}
