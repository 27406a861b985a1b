import Bytes
import Posix

/// An archive as a file that can be read at any place: itself where it is plain, else its content in an unnamed file.
enum ArchiveFile {
    /// Where the content of a compressed archive is put; it is gone when it is closed.
    private static let scratchDirectory: ByteString = "/var/tmp"

    /// - Throws: `SystemError`, ``TransportError`` for a damaged stream, or one that becomes too large.
    static func open(_ path: ByteString, _ limit: ExpansionLimit = ExpansionLimit()) throws -> OwnedDescriptor {
        let magic = try Files.open(path, .readOnly).readPrefix(StreamFormat.magicSize)
        if StreamFormat(magic: magic) == .plain { return try Files.open(path, .readOnly) }
        let content = try Files.open(scratchDirectory, [.readWrite, .temporary])
        try fill(content, from: path, limit)
        return content
    }

    private static func fill(
        _ content: borrowing OwnedDescriptor, from path: ByteString, _ limit: ExpansionLimit
    ) throws {
        let output = try OwnedDescriptor(duplicating: content.rawValue, path: path)
        let file = try Files.open(path, .readOnly)
        let decompressor = Decompressor(limit: limit)
        try forEachPiece(of: file) { piece in try decompressor.decompress(piece) { try output.writeAll($0) } }
        try decompressor.finish { try output.writeAll($0) }
        try content.rewind()
    }
}
