import Bytes
import CLinux
import Glibc
import Posix
import SystemPackage

/// Files of a root that is not trusted: absolute and climbing links are resolved inside it (openat2(2),
/// RESOLVE_IN_ROOT), so that none leads to a file of the machine.
extension OwnedDescriptor {
    private static var resolveInRoot: UInt64 { 0x10 }

    /// The file or directory at `path` below this root; nil when there is none.
    borrowing func openInRoot(_ path: ByteString, directory: Bool) throws(SystemError) -> OwnedDescriptor? {
        // A FIFO under the name must not block.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (directory ? O_DIRECTORY : 0)
        let name = path.bytes.map { CChar(bitPattern: $0) } + [0]
        let shown = self.path + "/" + path
        while true {
            let number = clinux_openat2(rawValue, name, UInt64(flags), 0, Self.resolveInRoot)
            if number >= 0 { return OwnedDescriptor(adopting: number, path: shown) }
            switch errno {
            // EAGAIN: something in the root was renamed meanwhile (openat2(2)).
            case EINTR, EAGAIN: continue
            case ENOENT, ENOTDIR, ELOOP: return nil
            default: throw SystemError("openat2", shown, Errno(rawValue: errno))
            }
        }
    }

    /// The file `name` of this directory; nil when it is a link or cannot be opened.
    borrowing func openEntry(_ name: ByteString) -> OwnedDescriptor? {
        let text = name.bytes.map { CChar(bitPattern: $0) } + [0]
        let number = clinux_openat(rawValue, text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
        return number >= 0 ? OwnedDescriptor(adopting: number, path: path + "/" + name) : nil
    }

    /// The target of the link `name` in this directory.
    borrowing func linkTarget(ofEntry name: ByteString) throws(SystemError) -> ByteString {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(rawValue, name.bytes.map { CChar(bitPattern: $0) } + [0], &buffer, buffer.count)
        guard count >= 0 else { throw SystemError("readlinkat", path + "/" + name, Errno(rawValue: errno)) }
        return ByteString(buffer[..<count].map { UInt8(bitPattern: $0) })
    }

    /// Calls `body` with the name of each entry of this directory that ends in `suffix`.
    borrowing func forEachEntry(withSuffix suffix: ByteString, _ body: (ByteString) -> Void) throws(SystemError) {
        // The stream takes over its descriptor.
        let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0, let stream = clinux_fdopendir(copy) else {
            let error = SystemError("fdopendir", path, Errno(rawValue: errno))
            if copy >= 0 { _ = Glibc.close(copy) }
            throw error
        }
        defer { _ = clinux_closedir(stream) }
        var kind: UInt8 = 0
        while let name = clinux_readdir(stream, &kind) {
            let bytes = ByteString(UnsafeRawBufferPointer(start: name, count: strlen(name)))
            if bytes.hasSuffix(suffix) { body(bytes) }
        }
    }
}
