import Bytes
import Digests
import Posix
import SystemPackage

/// A blob as far as it has come: hashed while it is written, given its name when it is whole. What is left of an earlier attempt
/// is hashed again and gone on from.
final class PartialFile {
    private let directory: SharedDescriptor
    private let digest: Digest
    private let size: Int64
    private var file: OwnedDescriptor
    private var hasher = DigestHasher()

    private var temporaryName: ByteString { Self.temporaryName(digest) }

    private static func temporaryName(_ digest: Digest) -> ByteString { ByteString(".partial-" + digest.hexadecimal) }

    init(in directory: SharedDescriptor, digest: Digest, size: Int64) throws(SystemError) {
        self.directory = directory
        self.digest = digest
        self.size = size
        let name = Self.temporaryName(digest)
        file = try directory.descriptor.open(name, [.readWrite, .create, .noFollow, .nonBlocking], mode: 0o644)
        let status = try file.status()
        guard status.kind == .regular else { throw SystemError("openat", name, .fileExists) }
        if status.size > UInt64(clamping: size) {
            try restart()
            return
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// How many bytes there are.
    var count: Int64 { Int64(clamping: hasher.count) }
    var isComplete: Bool { count == size }

    /// Appends `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try file.writeAll(bytes)
        hasher.update(bytes)
    }

    /// Forgets what there is.
    func restart() throws(SystemError) {
        file = try directory.descriptor.open(temporaryName, [.writeOnly, .truncate, .noFollow, .nonBlocking])
        hasher = DigestHasher()
    }

    /// Gives the file its name if it is what it should be.
    ///
    /// - Returns: the digest of what there is; the file has its name only if it is the right one.
    func publish() throws(SystemError) -> Digest {
        let copy = hasher
        let actual = copy.finalize()
        guard actual == digest else { return actual }
        try file.syncData()
        let name = ByteString(digest.hexadecimal)
        try directory.descriptor.rename(temporaryName, to: name, in: directory.descriptor, replacing: true)
        try directory.descriptor.sync()
        return actual
    }

    /// As ``publish()``; whether it was the right content.
    func hasPublished() throws(SystemError) -> Bool { try publish() == digest }

    /// Removes what there is.
    func discard() { try? directory.descriptor.removeFile(temporaryName) }
}
