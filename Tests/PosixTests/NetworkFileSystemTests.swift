import Bytes
import Foundation
import TestSupport
import Testing

@testable import Posix

struct NetworkFileSystemTests {
    struct Case: Sendable {
        var magic: UInt32
        var type: String?
        var name: String?
    }

    static let cases = [
        Case(magic: 0x6969, type: nil, name: "NFS"),
        Case(magic: 0xff53_4d42, type: nil, name: "CIFS"),
        Case(magic: 0xfe53_4d42, type: nil, name: "SMB"),
        Case(magic: 0x0102_1997, type: nil, name: "9p"),
        Case(magic: 0x00c3_6400, type: nil, name: "Ceph"),
        Case(magic: 0x6573_5546, type: "fuse.sshfs", name: "fuse.sshfs"),
        Case(magic: 0x6573_5546, type: "virtiofs", name: "virtiofs"),
        Case(magic: 0x6573_5546, type: "fuse.bindfs", name: nil),
        Case(magic: 0x6573_5546, type: "fuse.fuse-overlayfs", name: nil),
        Case(magic: 0x6573_5546, type: nil, name: nil),
        // ext4, tmpfs, btrfs, xfs, overlay.
        Case(magic: 0xef53, type: "nfs", name: nil), Case(magic: 0x0102_1994, type: nil, name: nil),
        Case(magic: 0x9123_683e, type: nil, name: nil), Case(magic: 0x5846_5342, type: nil, name: nil),
        Case(magic: 0x794c_7630, type: nil, name: nil),
    ]

    @Test(arguments: cases) func fileSystemsElsewhereAreToldFromLocalOnes(_ example: Case) {
        #expect(NetworkFileSystem.name(magic: example.magic) { example.type.map { ByteString($0) } } == example.name)
    }

    @Test func theTypeOfAMountIsFoundByItsDevice() {
        let table: ByteString = """
            36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
            damaged line
            42 27 0:39 / /tmp/b rw - fuse.sshfs host:/a rw
            43 27 0:40 / /tmp/c rw shared:1 master:2 - tmpfs tmpfs rw
            """
        let types = [39, 40, 41].map { NetworkFileSystem.type(ofDevice: $0, in: table) }
        #expect(types == ["fuse.sshfs", "tmpfs", nil])
        #expect(NetworkFileSystem.type(ofDevice: 98 << 8, in: table) == "ext3")
    }

    @Test func theTestsOwnFilesAreLocal() throws {
        let folder = try TemporaryDirectory()
        #expect(try Files.open(ByteString(folder.path), [.readOnly, .directory]).networkFileSystem() == nil)
    }
}
