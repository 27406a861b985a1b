public import Bytes
import CLinux
import Glibc

extension Files {
    /// A file that has no name and holds `bytes`, in memory (memfd_create(2)), to be read from its beginning.
    ///
    /// - Parameter label: what errors call it.
    public static func inMemory(_ bytes: [UInt8], label: ByteString) throws(SystemError) -> OwnedDescriptor {
        let number = try label.withCPath(for: "memfd_create") { (name) throws(SystemError) in
            try retrying("memfd_create", label) { clinux_memory_file(name) }
        }
        let file = OwnedDescriptor(adopting: number, path: label)
        try file.writeAll(bytes)
        _ = try retrying("lseek", label) { lseek(number, 0, SEEK_SET) }
        return file
    }
}
