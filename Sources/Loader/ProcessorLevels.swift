public import Bytes
public import ELF
import Posix

/// Which variants of libraries a processor takes: the names for ``ResolveOptions/VariantPolicy/levels(_:)``.
///
/// The rules are those of glibc's `_dl_hwcaps_subdirs_active` (sysdeps/*/dl-hwcaps-subdirs.c) and, for the directories
/// before 2.37, of sysdeps/x86/cpu-features.c; what the processor can is taken from the kernel, which hides what the
/// system does not let programs use.
public enum ProcessorLevels {
    /// The levels of this machine, the best first; none where it has none or /proc/cpuinfo does not tell.
    public static func host() -> [ByteString] {
        guard let machine = hostMachine, let file = try? Files.open("/proc/cpuinfo", .readOnly),
            let text = try? file.readPrefix(firstProcessor)
        else { return [] }
        return levels(text, machine: machine)
    }

    /// The levels of the first processor that `text`, in the form of /proc/cpuinfo, tells of.
    public static func levels(_ text: [UInt8], machine: ELFMachine) -> [ByteString] {
        let lines = ByteString(text).split(on: UInt8(ascii: "\n"))
        func field(_ name: ByteString) -> [ByteString] {
            for line in lines {
                guard let colon = line.bytes.firstIndex(of: UInt8(ascii: ":")) else { continue }
                let key = line.bytes[..<colon].split(whereSeparator: Self.isBlank)
                guard key.count == 1, ByteString(key[0]) == name else { continue }
                return line.bytes[(colon + 1)...].split(whereSeparator: Self.isBlank).map { ByteString($0) }
            }
            return []
        }
        switch machine {
        case .x86_64:
            let isIntel = field("vendor_id") == ["GenuineIntel"]
            return x86(Set(field("flags")), isIntel: isIntel)
        case .s390: return climb(Set(field("features")), s390)
        case .powerPC64:
            return power(field("cpu").first ?? "")
        default: return []
        }
    }

    /// Whether `name` has the form of a level: glibc may know more of them than are written here, but none of another form.
    public static func isLevel(_ name: ByteString) -> Bool {
        if ["haswell", "avx512_1"].contains(name) { return true }
        for family: ByteString in ["x86-64-v", "z", "power"] where name.hasPrefix(family) {
            let digits = name.bytes.dropFirst(family.count)
            return !digits.isEmpty && digits.allSatisfy { (0x30...0x39).contains($0) }
        }
        return false
    }

    /// Enough for one processor, of which large machines have hundreds.
    private static let firstProcessor = 1 << 16

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private typealias Step = (level: ByteString, features: Set<ByteString>)

    /// Each level has what the one before it has; the first that is not complete ends the climb.
    private static func climb(_ features: Set<ByteString>, _ steps: [Step]) -> [ByteString] {
        steps.prefix { $0.features.isSubset(of: features) }.map(\.level).reversed()
    }

    private static func x86(_ flags: Set<ByteString>, isIntel: Bool) -> [ByteString] {
        var levels = climb(flags, x86)
        // Before 2.37 glibc named Intel's processors by directories of their own.
        guard isIntel else { return levels }
        let (wide, haswell): (Set<ByteString>, Set<ByteString>) = (
            ["avx512cd", "avx512bw", "avx512dq", "avx512vl"], ["avx2", "bmi1", "bmi2", "abm", "movbe", "popcnt"]
        )
        if wide.isSubset(of: flags) { levels.append("avx512_1") }
        if haswell.isSubset(of: flags) { levels.append("haswell") }
        return levels
    }

    /// By the name, as `POWER9 (architected)`: the capabilities that glibc asks for are not in /proc/cpuinfo.
    private static func power(_ name: ByteString) -> [ByteString] {
        guard name.hasPrefix("POWER") else { return [] }
        let digits = name.bytes.dropFirst("POWER".utf8.count).prefix { (0x30...0x39).contains($0) }
        guard let generation = Int(String(decoding: digits, as: UTF8.self)), generation >= 9 else { return [] }
        return generation == 9 ? ["power9"] : ["power10", "power9"]
    }

    /// By the kernel's names: `pni` is SSE3, `abm` has LZCNT.
    private static let x86: [Step] = [
        ("x86-64-v2", ["cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"]),
        ("x86-64-v3", ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"]),
        ("x86-64-v4", ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
    ]

    private static let s390: [Step] = [
        ("z13", ["vx"]), ("z14", ["vxd", "vxe", "gs"]), ("z15", ["vxe2", "vxp"]), ("z16", ["vxp2"]),
    ]

    private static var hostMachine: ELFMachine? {
        #if arch(x86_64)
            .x86_64
        #elseif arch(s390x)
            .s390
        #elseif arch(powerpc64le)
            .powerPC64
        #else
            nil
        #endif
    }
}
