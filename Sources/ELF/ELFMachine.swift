/// e_machine: the processor that a file is for. Any value is kept.
public struct ELFMachine: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let i386 = ELFMachine(rawValue: 3)
    public static let mips = ELFMachine(rawValue: 8)
    public static let powerPC = ELFMachine(rawValue: 20)
    public static let powerPC64 = ELFMachine(rawValue: 21)
    public static let s390 = ELFMachine(rawValue: 22)
    public static let arm = ELFMachine(rawValue: 40)
    public static let x86_64 = ELFMachine(rawValue: 62)
    public static let aarch64 = ELFMachine(rawValue: 183)
    public static let riscV = ELFMachine(rawValue: 243)
    public static let loongArch = ELFMachine(rawValue: 258)
}

extension ELFMachine: CustomStringConvertible {
    public var description: String {
        switch self {
        case .i386: "i386"
        case .mips: "MIPS"
        case .powerPC: "PowerPC"
        case .powerPC64: "PowerPC64"
        case .s390: "s390"
        case .arm: "ARM"
        case .x86_64: "x86-64"
        case .aarch64: "AArch64"
        case .riscV: "RISC-V"
        case .loongArch: "LoongArch"
        default: "machine \(rawValue)"
        }
    }
}
