public import Bytes

/// One member of a cpio archive without its content.
public struct CpioHeader: Hashable, Sendable {
    /// Relative, `.` for the root; no NUL.
    public var name: ByteString
    /// Type and permissions, as st_mode (inode(7)).
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// Seconds since 1970.
    public var modified: Int64
    /// Of the content that follows: of a file its own, of a symbolic link its target.
    public var size: UInt64
    /// Of a device node.
    public var device: (major: UInt32, minor: UInt32)

    public init(
        name: ByteString, mode: UInt32, uid: UInt32, gid: UInt32, modified: Int64, size: UInt64 = 0,
        device: (major: UInt32, minor: UInt32) = (0, 0)
    ) {
        (self.name, self.mode, self.uid, self.gid) = (name, mode, uid, gid)
        (self.modified, self.size, self.device) = (modified, size, device)
    }

    public static func == (left: CpioHeader, right: CpioHeader) -> Bool {
        (left.name, left.mode, left.uid, left.gid) == (right.name, right.mode, right.uid, right.gid)
            && (left.modified, left.size) == (right.modified, right.size) && left.device == right.device
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(mode)
        hasher.combine(size)
    }
}

/// Writes the "newc" form of cpio, which the Linux kernel unpacks as its initramfs (kernel documentation,
/// driver-api/early-userspace/buffer-format.rst): 110 bytes of hexadecimal digits, the name, the content, each to a multiple of 4.
///
/// Inode numbers are the members' own, counted from 1, so that no two are taken for one file; what else is written depends on the
/// header alone.
public struct CpioEncoder: Sendable {
    private var inode: UInt32 = 0

    public init() {}

    /// The bytes of `header`; its content and ``padding(after:)`` are to follow.
    ///
    /// - Throws: ``CpioError``.
    public mutating func encode(_ header: CpioHeader) throws(CpioError) -> [UInt8] {
        guard let size = UInt32(exactly: header.size) else { throw .tooLarge(header.name, size: header.size) }
        guard !header.name.isEmpty, !header.name.contains(0), header.name.count < 4096 else {
            throw .badName(header.name)
        }
        guard inode < .max else { throw .tooMany }
        inode += 1
        return Self.bytes(header, size: size, inode: inode)
    }

    /// The member that ends an archive, and zeros up to a multiple of 512.
    ///
    /// - Parameter size: of the archive so far, in bytes.
    public static func trailer(after size: UInt64) -> [UInt8] {
        let last = CpioHeader(name: "TRAILER!!!", mode: 0, uid: 0, gid: 0, modified: 0)
        let member = bytes(last, size: 0, inode: 0)
        let rest = (size + UInt64(member.count)) % 512
        return member + [UInt8](repeating: 0, count: rest == 0 ? 0 : Int(512 - rest))
    }

    /// How many zeros follow a content of `size` bytes.
    public static func padding(after size: UInt64) -> Int { Int((4 - size % 4) % 4) }

    private static func bytes(_ header: CpioHeader, size: UInt32, inode: UInt32) -> [UInt8] {
        // Times are 32 bits without a sign: what lies outside becomes the first or last that there is.
        let time = UInt32(clamping: header.modified)
        let isDirectory = header.mode & 0o170000 == 0o040000
        let fields: [UInt32] = [
            inode, header.mode, header.uid, header.gid, isDirectory ? 2 : 1, time, size, 0, 0, header.device.major,
            header.device.minor, UInt32(header.name.count + 1), 0,
        ]
        var bytes = Array("070701".utf8)
        for field in fields { bytes += hexadecimal(field) }
        bytes += header.name.bytes
        bytes.append(0)
        return bytes + [UInt8](repeating: 0, count: padding(after: UInt64(bytes.count)))
    }

    private static func hexadecimal(_ value: UInt32) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return (0..<8).map { digits[Int(value >> (28 - 4 * $0)) & 15] }
    }
}

/// Why a tree cannot be a cpio archive.
public enum CpioError: Error, Hashable, CustomStringConvertible {
    /// Sizes have 32 bits.
    case tooLarge(ByteString, size: UInt64)
    case badName(ByteString)
    case tooMany

    public var description: String {
        switch self {
        case .tooLarge(let name, let size):
            "\(name): \(size) bytes are more than the 4 GiB that a file in a cpio archive may have; leave it out, or export --tar"
        case .badName(let name): "\(name): cannot be a name in a cpio archive"
        case .tooMany: "a cpio archive cannot have that many files"
        }
    }
}
