import Bytes

/// One program header (elf(5), `Elf32_Phdr`, `Elf64_Phdr`): a segment of the file and where it is mapped.
public struct ProgramHeader: Hashable, Sendable {
    public let type: SegmentType
    /// Where the segment's bytes begin in the file, and how many there are.
    public let offset: UInt64
    public let fileSize: UInt64
    /// Where they are mapped, and how much memory is mapped.
    public let address: UInt64
    public let memorySize: UInt64
    public let alignment: UInt64

    /// p_type. Any value is kept.
    public struct SegmentType: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let load = SegmentType(rawValue: 1)
        public static let dynamic = SegmentType(rawValue: 2)
        public static let interpreter = SegmentType(rawValue: 3)
        public static let note = SegmentType(rawValue: 4)
    }

    /// The header at `offset` of a table; nil when the table ends before.
    init?(_ table: ByteReader, at start: Int, _ fileClass: ELFClass) {
        let wide = fileClass == .bits64
        guard let type: UInt32 = table.integer(at: start),
            let offset = table.word(at: start + (wide ? 8 : 4), wide: wide),
            let address = table.word(at: start + (wide ? 16 : 8), wide: wide),
            let fileSize = table.word(at: start + (wide ? 32 : 16), wide: wide),
            let memorySize = table.word(at: start + (wide ? 40 : 20), wide: wide),
            let alignment = table.word(at: start + (wide ? 48 : 28), wide: wide)
        else { return nil }
        self.type = SegmentType(rawValue: type)
        self.offset = offset
        self.fileSize = fileSize
        self.address = address
        self.memorySize = memorySize
        self.alignment = alignment
    }

    /// The place in the file of `address`, and how many bytes of the segment follow it there.
    func fileRange(of address: UInt64) -> (offset: UInt64, available: UInt64)? {
        guard type == .load, address >= self.address, address - self.address < fileSize else { return nil }
        let (place, overflow) = offset.addingReportingOverflow(address - self.address)
        return overflow ? nil : (place, fileSize - (address - self.address))
    }
}
