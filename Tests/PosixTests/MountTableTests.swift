import Bytes
import SystemPackage
import TestSupport
import Testing

@testable import Posix

struct MountTableTests {
    @Test func linesAreReadWithTheirEscapesAndDamagedOnesLeftOut() throws {
        let table = MountTable(
            parsing: #"""
                36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
                46 27 0:40 / /a\040b\134c ro shared:1 master:2 - overlay layerfs:x ro,lowerdir=/p/1:/p/2

                damaged
                1 2 x:y / / rw - ext4 /dev/a rw
                1 2 0:1 / / rw - ext4
                47 27 0:41 / /d rw - tmpfs \04 rw
                """#)
        #expect(table.mounts.map(\.identifier) == [36, 46, 47])
        let overlay = table.mounts[1]
        #expect(overlay.point == #"/a b\c"# && overlay.type == "overlay" && overlay.source == "layerfs:x")
        #expect(overlay.options == "ro,lowerdir=/p/1:/p/2" && table.mounts[2].source == #"\04"#)
    }

    @Test func anyTextIsRead() {
        var generator = SeededGenerator(seed: 21)
        let alphabet = Array("0123456789: -\\/\n\0a".utf8)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...120, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
            #expect(MountTable(parsing: ByteString(bytes)).mounts.count <= lines)
        }
    }

    @Test func onlyTheTopOfAMountIsAMount() throws {
        let table = try MountTable.current()
        #expect(try table.mount(at: Files.open("/proc", [.path, .directory]))?.type == "proc")
        #expect(try table.mount(at: Files.open("/proc/self", [.path, .directory])) == nil)
        #expect(try MountTable.everywhere().contains { $0.mounts.map(\.identifier) == table.mounts.map(\.identifier) })
    }

    @Test func anOverlayOfMoreThanOptionsHaveRoomForIsRefused() throws {
        let directory = try TemporaryDirectory()
        let opened = try Files.open(ByteString(directory.path), [.readOnly, .directory])
        let capacity = Overlay.capacity(nameLength: 129)
        #expect(capacity >= 20)
        let names = [ByteString](repeating: ByteString([UInt8](repeating: 0x61, count: 129)), count: 2 * capacity)
        do {
            try Overlay.mount(names, of: opened, source: "layerfs:test", on: opened)
            Issue.record("it was mounted")
        } catch {
            #expect(error.errno == .argListTooLong)
        }
    }
}
