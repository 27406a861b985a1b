import Bytes
import ELF
import Foundation
import Loader
import TestSupport
import Testing

struct ProcessorLevelsTests {
    private static let v2 = "cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2"
    private static let v3 = v2 + " avx avx2 bmi1 bmi2 f16c fma abm movbe"
    private static let v4 = v3 + " avx512f avx512bw avx512cd avx512dq avx512vl"

    @Test(
        "The levels follow from the features, each on top of the one below",
        arguments: [
            ("vendor_id : X\nflags\t\t: fpu sse2", ELFMachine.x86_64, []),
            ("flags\t\t: fpu \(v2) avx", .x86_64, ["x86-64-v2"]),
            ("flags\t\t: \(v3)\nflags : none", .x86_64, ["x86-64-v3", "x86-64-v2"]),
            ("vendor_id\t: AuthenticAMD\nflags: \(v4)", .x86_64, ["x86-64-v4", "x86-64-v3", "x86-64-v2"]),
            (
                "vendor_id\t: GenuineIntel\nflags: \(v4)", .x86_64,
                ["x86-64-v4", "x86-64-v3", "x86-64-v2", "avx512_1", "haswell"]
            ),
            ("flags: avx512f avx512bw avx512cd avx512dq avx512vl", .x86_64, []),
            ("features\t: esan3 zarch vx vxd vxe gs vxe2", .s390, ["z14", "z13"]),
            ("features\t: vx vxd vxe gs vxe2 vxp vxp2 nnpa", .s390, ["z16", "z15", "z14", "z13"]),
            ("processor: 0\ncpu\t\t: POWER9 (architected), altivec supported", .powerPC64, ["power9"]),
            ("cpu\t\t: POWER10 (architected)", .powerPC64, ["power10", "power9"]), ("cpu : POWER8", .powerPC64, []),
            ("Features\t: fp asimd", .aarch64, []), ("", .x86_64, []),
        ] as [(String, ELFMachine, [ByteString])])
    func levels(text: String, machine: ELFMachine, expected: [ByteString]) {
        #expect(ProcessorLevels.levels(Array(text.utf8), machine: machine) == expected)
    }

    @Test(
        "This machine's levels are those that its loader searches",
        .enabled(if: isX86_64 && FileManager.default.fileExists(atPath: loader), "needs the loader of x86-64"))
    func host() throws {
        let help = try Tool.run(path: Self.loader, ["--help"]).lines
        let searched = help.filter { $0.hasPrefix("  x86-64-v") && $0.hasSuffix("(supported, searched)") }
            .compactMap { $0.split(separator: " ").first.map { ByteString(String($0)) } }
        #expect(ProcessorLevels.host().filter { $0.hasPrefix("x86-64-") } == searched)
    }

    private static let loader = "/lib64/ld-linux-x86-64.so.2"

    @Test(
        "What this machine's loader takes is taken, with glibc-hwcaps and the directories before 2.37",
        .enabled(if: Fixture.isPossible && isX86_64, "needs gcc"))
    func loaderAgrees() throws {
        for directory in ["glibc-hwcaps/x86-64-v2", "glibc-hwcaps/x86-64-v3", "haswell", "avx512_1"] {
            let fixture = try Fixture()
            try fixture.library("l/liba.so")
            try fixture.program(needs: ["l/liba.so"], ["-Wl,-rpath,\(fixture.path)/l"])
            try fixture.library("l/\(directory)/liba.so")
            var options = ResolveOptions()
            options.variants = .levels(ProcessorLevels.host())
            let closure = try fixture.closure(options: options)
            let truth = try LoaderAnswer(asking: fixture.path + "/prog").files.filter { $0.hasPrefix(fixture.path) }
            // The plain file is taken as well, for older processors.
            #expect(
                Set(fixture.files(closure))
                    == Set(["prog", "l/liba.so"] + truth.map { String($0.dropFirst(fixture.path.count + 1)) }))
        }
    }
}
