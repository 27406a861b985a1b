import Bytes
import ImageTransport
import Posix
import SystemPackage

/// An archive that can be read at any place: one that is compressed is laid out in an unnamed file first.
enum PlainArchive {
    /// - Parameter scratch: where that file is made; it has no name and goes when it is closed.
    /// - Throws: `TransportError` for a damaged stream, or one that grows beyond `limit`.
    static func open(
        _ file: consuming OwnedDescriptor, limit: ExpansionLimit, scratch: ByteString
    ) throws -> OwnedDescriptor {
        guard try StreamFormat.isCompressed(file) else { return file }
        let plain = try Files.open(scratch, [.readWrite, .temporary])
        try ArchiveStream.decompress(file, limit: limit) { try plain.writeAll($0) }
        return plain
    }
}
