import Bytes
import Cpio
import Testing

struct CpioEncoderTests {
    @Test func aMemberIsWrittenDigitByDigit() throws {
        var encoder = CpioEncoder()
        let bytes = try encoder.encode(
            CpioHeader(name: "usr/x", mode: 0o100644, uid: 1, gid: 65534, modified: 0x1234_5678, size: 10))
        let text = [
            "070701", "00000001", "000081A4", "00000001", "0000FFFE", "00000001", "12345678", "0000000A", "00000000",
            "00000000", "00000000", "00000000", "00000006", "00000000",
        ].joined()
        #expect(String(decoding: bytes, as: UTF8.self) == text + "usr/x\0")
        #expect(bytes.count % 4 == 0)
        // The second inode has its own number, a directory two links, a device its numbers, a late time the last there is.
        let other = try encoder.encode(
            CpioHeader(name: "d", mode: 0o040755, uid: 0, gid: 0, modified: .max, device: (5, 1)))
        let fields = String(decoding: other, as: UTF8.self)
        let first = ["070701", "00000002", "000041ED", "00000000", "00000000", "00000002", "FFFFFFFF"].joined()
        #expect(fields.hasPrefix(first))
        let last = ["00000005", "00000001", "00000002", "00000000", "d\0"].joined()
        #expect(fields.contains(last))
    }

    @Test(arguments: [0, 1, 4, 511, 512, 700] as [UInt64]) func anArchiveEndsAtAMultipleOf512(size: UInt64) {
        let trailer = CpioEncoder.trailer(after: size)
        #expect((size + UInt64(trailer.count)) % 512 == 0)
        #expect(String(decoding: trailer, as: UTF8.self).contains("TRAILER!!!\0"))
        #expect((size + UInt64(CpioEncoder.padding(after: size))) % 4 == 0)
    }

    @Test func whatDoesNotFitIsRefused() {
        var encoder = CpioEncoder()
        let large = CpioHeader(name: "x", mode: 0, uid: 0, gid: 0, modified: 0, size: 1 << 32)
        #expect(throws: CpioError.tooLarge("x", size: 1 << 32)) { try encoder.encode(large) }
        for name: ByteString in ["", ByteString([0x61, 0]), ByteString([UInt8](repeating: 0x61, count: 4096))] {
            let header = CpioHeader(name: name, mode: 0, uid: 0, gid: 0, modified: 0)
            #expect(throws: CpioError.badName(name)) { try encoder.encode(header) }
        }
    }
}
