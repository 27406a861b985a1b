import Bytes
import ELF

/// The names that glibc before 2.37 made subdirectories of beside `tls` and the platform: the machine's capabilities in
/// HWCAP_IMPORTANT of sysdeps/*/dl-procinfo.h and their kin.
struct LegacySubdirectories {
    /// What every processor of the machine has, most significant first.
    private(set) var always: [ByteString] = []
    /// What some have: each with the `$PLATFORM` that goes with it, nil for the usual one.
    private(set) var variants: [(platform: ByteString?, names: [ByteString])] = []

    init(_ header: ELFHeader) {
        switch header.machine {
        case .x86_64:
            always = ["x86_64"]
            // Intel's only.
            variants = [("haswell", []), ("haswell", ["avx512_1"])]
        case .i386: variants = [(nil, ["sse2"])]
        case .aarch64: variants = [(nil, ["atomics"])]
        case .arm where TargetMachine(header: header).floatABI != 0:
            always = ["vfp"]
            variants = [(nil, ["neon"])]
        case .arm: variants = [(nil, ["vfp"]), (nil, ["neon", "vfp"])]
        default: break
        }
    }

    /// All names of a processor, most significant first; none for a later glibc.
    func names(_ constants: LoaderConstants, platform: ByteString?, _ names: [ByteString] = []) -> [ByteString] {
        guard constants.version?.searchesLegacySubdirectories ?? false else { return [] }
        return ["tls"] + [platform].compactMap { $0 } + names + always
    }
}
