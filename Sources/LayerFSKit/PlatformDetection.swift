import Bytes
import ELF
import Loader
import Posix

extension Closure {
    /// What the programs run on, as OCI writes platforms: `linux/amd64`; nil when there is no ELF file among them.
    ///
    /// The programs' own headers are asked first; for scripts it is the first binary that they brought in.
    func platform() throws -> String? {
        let programs = Set(self.programs.map(\.path))
        let regular = files.filter { if case .file = $0.kind { true } else { false } }
        for file in regular.filter({ programs.contains($0.path) }) + regular {
            guard let bytes = try? Files.open(file.sourcePath, [.readOnly, .nonBlocking]).readPrefix(64),
                let header = try? ELFHeader(bytes[...])
            else { continue }
            return header.ociPlatform
        }
        return nil
    }
}

extension LayerPlan {
    /// What the first of the closures that has programs runs on.
    func platform() throws -> String? {
        for closure in closures {
            if let platform = try closure.platform() { return platform }
        }
        return nil
    }
}

extension ELFHeader {
    /// The platform in the terms of Go's GOOS and GOARCH, which OCI uses (image-spec, image-index.md, Platform
    /// Variants); nil for a machine that Go has no word for.
    var ociPlatform: String? {
        let little = byteOrder == .little
        return switch machine {
        case .x86_64: fileClass == .bits64 ? "linux/amd64" : nil
        case .i386: "linux/386"
        case .aarch64: "linux/arm64"
        // The hard-float ABI (EF_ARM_ABI_FLOAT_HARD) begins with v7 in every distribution that has it.
        case .arm: flags & 0x400 != 0 ? "linux/arm/v7" : "linux/arm/v5"
        case .riscV: fileClass == .bits64 ? "linux/riscv64" : nil
        case .s390: fileClass == .bits64 ? "linux/s390x" : nil
        case .powerPC64: little ? "linux/ppc64le" : "linux/ppc64"
        case .loongArch: fileClass == .bits64 ? "linux/loong64" : nil
        case .mips: "linux/mips\(fileClass == .bits64 ? "64" : "")\(little ? "le" : "")"
        default: nil
        }
    }
}
