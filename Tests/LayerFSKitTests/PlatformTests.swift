import ELF
import Testing

@testable import LayerFSKit

struct PlatformTests {
    /// The first 64 bytes of an ELF file.
    private func header(bits: UInt8, order: UInt8, machine: UInt16, flags: UInt32) throws -> ELFHeader {
        var bytes = [UInt8](repeating: 0, count: 64)
        bytes.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, bits == 64 ? 2 : 1, order, 1])
        func put(_ value: UInt32, at offset: Int, count: Int) {
            for index in 0..<count {
                let shift = 8 * (order == 1 ? index : count - 1 - index)
                bytes[offset + index] = UInt8(truncatingIfNeeded: value >> shift)
            }
        }
        put(2, at: 16, count: 2)
        put(UInt32(machine), at: 18, count: 2)
        put(1, at: 20, count: 4)
        put(flags, at: bits == 64 ? 48 : 36, count: 4)
        return try ELFHeader(bytes[...])
    }

    @Test(
        arguments: [
            (64, 1, 62, 0, "linux/amd64"), (32, 1, 62, 0, nil), (32, 1, 3, 0, "linux/386"),
            (64, 1, 183, 0, "linux/arm64"),
            (32, 1, 40, 0x0500_0400, "linux/arm/v7"), (32, 1, 40, 0x0500_0200, "linux/arm/v5"),
            (64, 1, 243, 5, "linux/riscv64"), (64, 2, 22, 0, "linux/s390x"), (64, 1, 21, 2, "linux/ppc64le"),
            (64, 2, 21, 1, "linux/ppc64"), (64, 1, 258, 0, "linux/loong64"), (32, 2, 8, 0, "linux/mips"),
            (64, 1, 8, 0, "linux/mips64le"), (64, 1, 9999, 0, nil),
        ] as [(UInt8, UInt8, UInt16, UInt32, String?)])
    func machinesHaveTheirNamesInOCI(_ bits: UInt8, _ order: UInt8, _ machine: UInt16, _ flags: UInt32, _ name: String?)
        throws
    {
        #expect(try header(bits: bits, order: order, machine: machine, flags: flags).ociPlatform == name)
    }
}
