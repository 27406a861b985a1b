/// What is wrong with the bytes of an ELF file.
public enum ELFError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first four bytes are not `\x7fELF`.
    case notELF
    /// The file ends inside a part that its headers announce.
    case truncated(Part, offset: UInt64)
    /// EI_CLASS is neither 1 nor 2.
    case invalidClass(UInt8)
    /// EI_DATA is neither 1 nor 2.
    case invalidByteOrder(UInt8)
    /// EI_VERSION is not 1.
    case invalidVersion(UInt8)
    /// e_phentsize is not the size of a program header of this class.
    case programHeaderSize(found: UInt16, expected: Int)
    /// A table is larger than any real file's.
    case tooLarge(Part, count: UInt64, limit: UInt64)
    /// PT_INTERP is empty, longer than a path may be, or does not end in NUL; the kernel refuses it.
    case invalidInterpreter
    /// The address that a dynamic entry gives lies in no loaded segment.
    case addressNotMapped(DynamicTag, address: UInt64)
    /// The name that a dynamic entry gives does not end inside the string table.
    case stringOutOfBounds(DynamicTag, offset: UInt64)
    /// There are names, but no string table (DT_STRTAB).
    case noStringTable

    /// A part of an ELF file.
    public enum Part: String, Hashable, Sendable {
        case fileHeader = "file header"
        case programHeaders = "program headers"
        case sectionHeader = "first section header"
        case interpreter = "interpreter name"
        case dynamicSection = "dynamic section"
        case versionNeeds = "needed symbol versions"
        case versionDefinitions = "defined symbol versions"
        case notes = "notes"
        case symbols = "dynamic symbols"
    }

    public var description: String {
        switch self {
        case .notELF: "not an ELF file"
        case .truncated(let part, let offset): "damaged ELF file: it ends inside the \(part.rawValue) at byte \(offset)"
        case .invalidClass(let value): "damaged ELF file: class \(value) is neither 32-bit (1) nor 64-bit (2)"
        case .invalidByteOrder(let value): "damaged ELF file: byte order \(value) is neither little (1) nor big (2)"
        case .invalidVersion(let value): "damaged ELF file: format version \(value), not 1"
        case .programHeaderSize(let found, let expected):
            "damaged ELF file: program headers of \(found) bytes, not \(expected)"
        case .tooLarge(let part, let count, let limit):
            "damaged ELF file: \(part.rawValue) with \(count) bytes or entries, more than \(limit)"
        case .invalidInterpreter: "damaged ELF file: the interpreter's name is not a terminated path"
        case .addressNotMapped(let tag, let address):
            "damaged ELF file: \(tag) points to 0x\(String(address, radix: 16)), which no segment of the file holds"
        case .stringOutOfBounds(let tag, let offset):
            "damaged ELF file: the name of \(tag) at \(offset) does not end inside the string table"
        case .noStringTable: "damaged ELF file: the dynamic section has names but no string table"
        }
    }
}
