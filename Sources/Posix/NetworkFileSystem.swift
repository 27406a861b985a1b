public import Bytes
import CLinux
import SystemPackage

/// File systems whose files lie on another machine, or outside a virtual one: there locks may hold on this machine only, and what
/// was flushed may not be on a disk.
public enum NetworkFileSystem {
    /// The names of such file systems by their magic numbers (statfs(2), linux/magic.h).
    private static let magics: [UInt32: String] = [
        0x6969: "NFS", 0x517b: "SMB", 0xff53_4d42: "CIFS", 0xfe53_4d42: "SMB", 0x0102_1997: "9p", 0x5346_414f: "AFS",
        0x6b41_4653: "AFS", 0x7375_7245: "Coda", 0x564c: "NCP", 0x00c3_6400: "Ceph", 0x0bd0_0bd0: "Lustre",
        0x4750_4653: "GPFS", 0x1983_0326: "BeeGFS", 0xaad7_aaea: "PanFS", 0x7461_636f: "OCFS2", 0x0116_1970: "GFS2",
    ]

    /// FUSE_SUPER_MAGIC: what it is depends on the program behind it, which the mount's type names.
    private static let fuse: UInt32 = 0x6573_5546

    /// Types of FUSE mounts that lie elsewhere. Others (bindfs, fuse-overlayfs, gocryptfs, ntfs-3g …) pass on to local files.
    private static let remoteTypes: Set<ByteString> = [
        "virtiofs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.rclone", "fuse.glusterfs",
        "fuse.ceph-fuse", "fuse.ceph", "fuse.davfs", "fuse.curlftpfs", "fuse.smbnetfs", "fuse.juicefs", "fuse.nfs",
        "fuse.mfs", "fuse.moosefs", "fuse.lizardfs", "fuse.seaweedfs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.afpfs",
        "fuse.gvfsd-fuse", "fuse.kio-fuse", "fuse.afuse", "fuse.orangefs", "fuse.unionfs-sshfs", "fuse.simple-mtpfs",
        "fuse.9pfs", "fuse.grpcfuse", "fuse.osxfs",
    ]

    /// What a file system with this magic number is called if it is such a one; nil for local ones.
    ///
    /// - Parameter type: the type of the mount, as `fuse.sshfs`; asked for only where the number alone does not tell.
    public static func name(magic: UInt32, type: () -> ByteString?) -> String? {
        if let name = magics[magic] { return name }
        guard magic == fuse, let type = type() else { return nil }
        return remoteTypes.contains(type) ? type.description : nil
    }

    /// The type of the mount whose device is `device`, from the text of proc_pid_mountinfo(5).
    static func type(ofDevice device: UInt64, in table: ByteString) -> ByteString? {
        MountTable(parsing: table).mounts.first { $0.device == device }?.type
    }
}

extension OwnedDescriptor {
    /// What the network file system that holds the open file is called; nil when it lies on a local one.
    public borrowing func networkFileSystem() throws(SystemError) -> String? {
        let number = rawValue
        let magic = UInt32(truncatingIfNeeded: try retrying("fstatfs", path) { clinux_file_system_magic(number) })
        let device = try status().identity.device
        return NetworkFileSystem.name(magic: magic) {
            let table = (try? Files.read("/proc/self/mountinfo", limit: 16 << 20)) ?? []
            return NetworkFileSystem.type(ofDevice: device, in: ByteString(table))
        }
    }
}
