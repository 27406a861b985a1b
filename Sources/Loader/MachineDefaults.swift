import Bytes
import ELF

/// What glibc's sources say of a machine (shlib-versions, sysdeps/*): the fallback where a root's loader tells nothing,
/// and what no loader tells.
struct MachineDefaults {
    let constants: LoaderConstants
    /// Where the ABI puts the loader; for shared objects, which name none.
    let interpreter: ByteString?
    /// The flags of a cache entry that the loader accepts (_DL_CACHE_DEFAULT_ID); nil accepts any library.
    let cacheFlags: Int32?
    /// Those of an entry that will do where there is none with ``cacheFlags``.
    let unspecificCacheFlags: Int32

    init(_ header: ELFHeader) {
        let row = Self.row(header)
        let directory = ByteString("/") + row.directory + ByteString("/")
        constants = LoaderConstants(
            systemDirectories: [directory, ByteString("/usr") + directory], libraryToken: row.directory,
            platform: row.platform, hardwareCapabilities: row.capabilities, version: nil, origin: .table)
        interpreter = row.interpreter
        cacheFlags = row.cacheFlags
        // FLAG_ELF; ARM wants FLAG_ELF_LIBC6 (sysdeps/unix/sysv/linux/arm/dl-cache.h).
        unspecificCacheFlags = header.machine == .arm ? 3 : 1
    }

    private struct Row {
        var interpreter: ByteString?
        var directory: ByteString
        var platform: ByteString?
        var cacheFlags: Int32?
        var capabilities: [ByteString] = []
    }

    private static func row(_ header: ELFHeader) -> Row {
        let little = header.byteOrder == .little
        switch (header.machine, header.fileClass) {
        case (.x86_64, .bits64):
            return Row(
                interpreter: "/lib64/ld-linux-x86-64.so.2", directory: "lib64", platform: "x86_64", cacheFlags: 0x303,
                capabilities: ["x86-64-v4", "x86-64-v3", "x86-64-v2"])
        case (.x86_64, .bits32):
            return Row(
                interpreter: "/libx32/ld-linux-x32.so.2", directory: "libx32", platform: "x86_64", cacheFlags: 0x803)
        case (.i386, _):
            return Row(interpreter: "/lib/ld-linux.so.2", directory: "lib", platform: "i686", cacheFlags: 3)
        case (.aarch64, _):
            return Row(
                interpreter: little ? "/lib/ld-linux-aarch64.so.1" : "/lib/ld-linux-aarch64_be.so.1",
                directory: "lib64", platform: "aarch64", cacheFlags: 0xa03)
        case (.arm, _):
            // EF_ARM_ABI_FLOAT_HARD
            let hard = header.flags & 0x400 != 0
            return Row(
                interpreter: hard ? "/lib/ld-linux-armhf.so.3" : "/lib/ld-linux.so.3", directory: "lib",
                platform: "v7l", cacheFlags: hard ? 0x903 : 0xb03)
        case (.riscV, .bits64):
            // EF_RISCV_FLOAT_ABI: 0 soft, 2 single, 4 double.
            let double = header.flags & 0x6 == 4
            return Row(
                interpreter: double ? "/lib/ld-linux-riscv64-lp64d.so.1" : "/lib/ld-linux-riscv64-lp64.so.1",
                directory: double ? "lib64/lp64d" : "lib64/lp64", cacheFlags: double ? 0x1003 : 0xf03)
        case (.s390, .bits64):
            return Row(
                interpreter: "/lib/ld64.so.1", directory: "lib64", platform: "z10", cacheFlags: 0x403,
                capabilities: ["z16", "z15", "z14", "z13"])
        case (.s390, _):
            return Row(interpreter: "/lib/ld.so.1", directory: "lib", platform: "z10", cacheFlags: 3)
        case (.powerPC64, _):
            return Row(
                interpreter: little ? "/lib64/ld64.so.2" : "/lib64/ld64.so.1", directory: "lib64",
                platform: little ? "power8" : nil, cacheFlags: 0x503, capabilities: little ? ["power10", "power9"] : [])
        case (.powerPC, _):
            return Row(interpreter: "/lib/ld.so.1", directory: "lib", cacheFlags: 3)
        case (.loongArch, _):
            return Row(interpreter: "/lib64/ld-linux-loongarch-lp64d.so.1", directory: "lib64/lp64d", cacheFlags: nil)
        case (_, .bits64):
            return Row(directory: "lib64")
        case (_, .bits32):
            return Row(directory: "lib")
        }
    }
}
