import Bytes
import Posix

/// Standard output as the target of an export.
enum StandardOutput {
    /// A descriptor of its own, so that closing it leaves the process's alone.
    static func take() throws(SystemError) -> OwnedDescriptor {
        try Files.open("/proc/self/fd/1", .writeOnly)
    }
}

/// Where files that have no better place are put together.
enum TemporaryDirectoryPath {
    /// `$TMPDIR`, else `/var/tmp`, which is not kept in memory.
    static func path(_ environment: Environment) -> ByteString {
        environment.value("TMPDIR").map { ByteString($0) } ?? "/var/tmp"
    }
}
