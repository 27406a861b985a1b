public import Posix

extension StreamFormat {
    /// Whether the regular `file`, open at its beginning, is compressed; it is at its beginning again after that.
    public static func isCompressed(_ file: borrowing OwnedDescriptor) throws -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: magicSize, alignment: 1)
        defer { buffer.deallocate() }
        let count = try file.read(at: 0, into: buffer)
        return StreamFormat(magic: Array(buffer[..<count])) != .plain
    }
}

/// Files that are read from their beginning to their end.
public enum ArchiveStream {
    /// Calls `body` with the rest of `file`, in pieces of at most 1 MiB.
    public static func forEachPiece(
        of file: borrowing OwnedDescriptor, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try ImageTransport.forEachPiece(of: file, body)
    }

    /// Calls `body` with the content of `file`, decompressed.
    ///
    /// - Throws: ``TransportError`` for a damaged stream, or one that grows beyond `limit`.
    public static func decompress(
        _ file: borrowing OwnedDescriptor, limit: ExpansionLimit, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let decompressor = Decompressor(limit: limit)
        try forEachPiece(of: file) { try decompressor.decompress($0, body) }
        try decompressor.finish(body)
    }
}
