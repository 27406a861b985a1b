public import Bytes
import Glibc
import SystemPackage

extension Files {
    /// The absolute path of the current directory (getcwd(3)).
    public static func currentDirectory() throws(SystemError) -> ByteString {
        guard let path = getcwd(nil, 0) else { throw SystemError.last("getcwd", nil) }
        defer { free(path) }
        return ByteString(UnsafeRawBufferPointer(start: path, count: strlen(path)))
    }
}
