public import Bytes
import Glibc
import SystemPackage

extension CurrentProcess {
    /// The absolute path of the program that runs, links resolved (proc(5), /proc/self/exe).
    public static func executable() throws(SystemError) -> ByteString { try Files.linkTarget("/proc/self/exe") }

    /// Becomes the program at `path` (execv(3)): same process, same environment, same open streams.
    ///
    /// - Parameter arguments: the first is the name by which the program knows itself.
    /// - Throws: what execve(2) reports; it returns only then.
    public static func become(_ path: ByteString, _ arguments: [ByteString]) throws(SystemError) -> Never {
        var pointers = arguments.map { argument in
            (argument.bytes + [0]).withUnsafeBytes { strdup($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
        }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        // It does not return unless it fails.
        throw try path.withCPath(for: "execve") { (name) throws(SystemError) in
            _ = execv(name, pointers)
            return SystemError.last("execve", path)
        }
    }
}
