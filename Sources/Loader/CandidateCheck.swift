import Bytes
import ELF

/// The machine that a program's libraries must be for.
struct TargetMachine: Hashable {
    let header: ELFHeader

    /// Whether ld.so of this machine would load the file with this content, as its open_verify and
    /// _dl_map_object_from_fd decide; nil when it would.
    func rejection(of content: FileContent) -> CandidateRejection? {
        let prefix = content.prefix
        let headerSize = header.fileClass == .bits64 ? 64 : 52
        guard prefix.count >= headerSize else { return .unusable(.tooShort) }
        guard prefix.starts(with: ELFHeader.magic) else { return .unusable(.notELF) }
        // The order of the checks is ld.so's: what is skipped and what is fatal depends on it.
        guard prefix[4] == header.fileClass.rawValue else { return .wrongClass(prefix[4]) }
        guard prefix[5] == (header.byteOrder == .little ? 1 : 2) else { return .unusable(.wrongByteOrder) }
        guard prefix[6] == 1 else { return .unusable(.invalidVersion) }
        let (osABI, abiVersion) = (prefix[7], prefix[8])
        let isGNU = osABI == 3
        guard osABI == 0 || isGNU, abiVersion == 0 || (isGNU && abiVersion < Self.gnuABIVersions) else {
            return .unusable(.invalidABI(osABI: osABI, version: abiVersion))
        }
        guard prefix[9..<16].allSatisfy({ $0 == 0 }) else { return .unusable(.nonzeroPadding) }
        guard let candidate = try? ELFHeader(prefix[...]) else { return .unusable(.notELF) }
        guard candidate.version == 1 else { return .unusable(.invalidVersion) }
        guard candidate.machine == header.machine, hasSameFloatABI(candidate) else {
            return .wrongMachine(candidate.machine)
        }
        guard candidate.type == .dynamic || candidate.type == .executable else { return .unusable(.notLoadable) }
        switch content.elf {
        case nil: return .unusable(.notELF)
        case .failure(let error): return .unusable(.damaged(error))
        case .success(let image):
            guard image.hasLoadableSegment else { return .unusable(.noLoadableSegment) }
            guard image.dynamic != nil else { return .unusable(.noDynamicSection) }
            guard candidate.type == .dynamic else { return .unusable(.fixedAddressExecutable) }
            return nil
        }
    }

    /// ARM and RISC-V pass by what uses other floating-point conventions, as another machine's
    /// (elf_machine_matches_host in sysdeps/unix/sysv/linux/arm/ldsodefs.h, sysdeps/riscv/dl-machine.h).
    private func hasSameFloatABI(_ candidate: ELFHeader) -> Bool {
        switch header.machine {
        case .arm where header.flags & Self.armHardFloat != 0: candidate.flags & Self.armSoftFloat == 0
        case .arm: candidate.flags & Self.armHardFloat == 0
        case .riscV: (candidate.flags ^ header.flags) & Self.riscVFloatABI == 0
        default: true
        }
    }

    /// EF_ARM_ABI_FLOAT_SOFT, EF_ARM_ABI_FLOAT_HARD, EF_RISCV_FLOAT_ABI.
    private static let armSoftFloat: UInt32 = 0x200
    private static let armHardFloat: UInt32 = 0x400
    private static let riscVFloatABI: UInt32 = 0x6

    /// What of e_flags makes it another machine.
    var floatABI: UInt32 {
        switch header.machine {
        case .arm: header.flags & Self.armHardFloat
        case .riscV: header.flags & Self.riscVFloatABI
        default: 0
        }
    }

    /// LIBC_ABI_MAX of glibc's libc-abis: the ABI extensions that a GNU object may ask for.
    private static let gnuABIVersions: UInt8 = 4
}
