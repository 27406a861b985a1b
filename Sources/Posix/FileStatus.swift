import CLinux
import Glibc

/// What statx(2) says of a file.
public struct FileStatus: Hashable, Sendable {
    public var kind: FileKind
    /// Permission bits with setuid, setgid and sticky: 0 to 0o7777.
    public var permissions: UInt16
    public var uid: UInt32
    public var gid: UInt32
    /// In bytes; for a symbolic link the length of its target.
    public var size: UInt64
    /// Bytes of disk allocated to the file.
    public var allocated: UInt64
    public var links: UInt32
    public var identity: FileIdentity
    public var modified: FileTime
    public var changed: FileTime
    /// The numbers of a device node; 0 otherwise.
    public var deviceMajor: UInt32
    public var deviceMinor: UInt32

    /// The status of a file that is not on a disk: owned by root, with one link, and without times.
    public init(kind: FileKind, permissions: UInt16, size: UInt64, identity: FileIdentity) {
        (self.kind, self.permissions, self.size, self.identity) = (kind, permissions, size, identity)
        (uid, gid, allocated, links, deviceMajor, deviceMinor) = (0, 0, 0, 1, 0, 0)
        modified = FileTime(seconds: 0, nanoseconds: 0)
        changed = modified
    }

    init(_ status: clinux_status) {
        kind = FileKind(mode: status.mode)
        permissions = UInt16(truncatingIfNeeded: status.mode & 0o7777)
        uid = status.uid
        gid = status.gid
        size = status.size
        allocated = status.blocks &* 512
        links = status.links
        identity = FileIdentity(device: status.device, inode: status.inode)
        modified = FileTime(seconds: status.modified_seconds, nanoseconds: status.modified_nanoseconds)
        changed = FileTime(seconds: status.changed_seconds, nanoseconds: status.changed_nanoseconds)
        deviceMajor = status.device_major
        deviceMinor = status.device_minor
    }
}

/// The type of a file (inode(7), The file type and mode).
public enum FileKind: Hashable, Sendable {
    case regular, directory, symlink, characterDevice, blockDevice, fifo, socket, unknown

    init(mode: UInt32) {
        switch mode & UInt32(S_IFMT) {
        case UInt32(S_IFREG): self = .regular
        case UInt32(S_IFDIR): self = .directory
        case UInt32(S_IFLNK): self = .symlink
        case UInt32(S_IFCHR): self = .characterDevice
        case UInt32(S_IFBLK): self = .blockDevice
        case UInt32(S_IFIFO): self = .fifo
        case UInt32(S_IFSOCK): self = .socket
        default: self = .unknown
        }
    }

    /// The kind that readdir(3) calls `type` (DT_REG and so on, which are the mode's type bits shifted right by 12).
    init(directoryEntryType type: UInt8) {
        self.init(mode: UInt32(type) << 12)
    }
}

/// The file itself, whatever its names: device and inode number.
public struct FileIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// A time of an inode: seconds since 1970 and nanoseconds.
public struct FileTime: Hashable, Sendable, BitwiseCopyable {
    public var seconds: Int64
    public var nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}

extension FileTime {
    /// The wall clock (clock_gettime(2), CLOCK_REALTIME).
    public static var now: FileTime {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(seconds: Int64(time.tv_sec), nanoseconds: UInt32(truncatingIfNeeded: time.tv_nsec))
    }
}
