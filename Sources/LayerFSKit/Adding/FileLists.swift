public import Bytes
import Posix

/// Reads lists of files to be added.
public enum FileLists {
    /// The path that stands for standard input.
    public static let standardInput: ByteString = "-"
    private static let limit = 256 << 20

    /// The mappings in the file `path`, one a line.
    public static func read(_ path: ByteString) throws(LayerFSError) -> [PathMapping] {
        let bytes: [UInt8]
        do {
            // By a descriptor of its own, so that closing it leaves the process's alone.
            bytes = try Files.read(path == standardInput ? "/proc/self/fd/0" : path, limit: limit)
        } catch {
            throw .system(step: "read the list of files", error)
        }
        return try PathMapping.list(bytes)
    }
}
