import Bytes
import Posix

/// An archive as a file that can be read at any place: itself where it is plain, else its content in an unnamed file.
enum ArchiveFile {
    /// - Parameter scratch: the directory of that file; it is gone when it is closed.
    /// - Throws: `SystemError`, ``TransportError`` for what is no regular file, a damaged stream, or one that grows beyond `limit`.
    static func open(_ path: ByteString, _ limit: ExpansionLimit, scratch: ByteString) throws -> OwnedDescriptor {
        // A fifo must not make us wait for its writer.
        let file = try Files.open(path, [.readOnly, .nonBlocking])
        guard try file.status().kind == .regular else {
            throw TransportError.noImages(path, reason: "an archive has to be a regular file")
        }
        guard try StreamFormat.isCompressed(file) else { return file }
        let plain = try Files.open(scratch, [.readWrite, .temporary])
        try ArchiveStream.decompress(file, limit: limit) { try plain.writeAll($0) }
        try plain.rewind()
        return plain
    }
}
