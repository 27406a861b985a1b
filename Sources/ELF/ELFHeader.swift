public import Bytes

/// The size of addresses in an ELF file (EI_CLASS).
public enum ELFClass: UInt8, Hashable, Sendable {
    case bits32 = 1
    case bits64 = 2

    /// The bytes of the file header, of a program header, of a dynamic entry, and of an address.
    var headerSize: Int { self == .bits64 ? 64 : 52 }
    var programHeaderSize: Int { self == .bits64 ? 56 : 32 }
    var dynamicEntrySize: Int { self == .bits64 ? 16 : 8 }
}

/// The file header of an ELF file (elf(5), `Elf32_Ehdr`, `Elf64_Ehdr`), of what program loading uses.
public struct ELFHeader: Hashable, Sendable {
    public let fileClass: ELFClass
    public let byteOrder: ByteOrder
    /// EI_OSABI: 0 System V, 3 GNU.
    public let osABI: UInt8
    public let abiVersion: UInt8
    /// Whether the unused bytes of e_ident are zero, as ld.so demands.
    public let paddingIsZero: Bool
    public let type: ELFType
    public let machine: ELFMachine
    /// e_version, which repeats EI_VERSION.
    public let version: UInt32
    /// The address of the first instruction; 0 for none.
    public let entry: UInt64
    /// Bits whose meaning depends on the machine (e_flags).
    public let flags: UInt32

    let programHeaderOffset: UInt64
    let sectionHeaderOffset: UInt64
    let programHeaderSize: UInt16
    let programHeaderCount: UInt16
    let sectionHeaderSize: UInt16
    let sectionHeaderCount: UInt16
    /// The section that holds the sections' names.
    let sectionNameIndex: UInt16

    /// Parses the header at the beginning of `bytes`, which may be longer.
    ///
    /// - Parameter assumed: a header whose class and byte order are believed instead of those in `bytes`.
    public init(_ bytes: ArraySlice<UInt8>, assuming assumed: ELFHeader? = nil) throws(ELFError) {
        let ident = ByteReader(bytes, order: .little)
        guard ident.slice(at: 0, count: 4)?.elementsEqual(Self.magic) == true else { throw .notELF }
        guard let rest = ident.slice(at: 4, count: 12), let first = rest.first else {
            throw .truncated(.fileHeader, offset: UInt64(bytes.count))
        }
        if let assumed {
            (fileClass, byteOrder) = (assumed.fileClass, assumed.byteOrder)
        } else {
            guard let fileClass = ELFClass(rawValue: first) else { throw .invalidClass(first) }
            let data = rest[rest.startIndex + 1]
            guard data == 1 || data == 2 else { throw .invalidByteOrder(data) }
            guard rest[rest.startIndex + 2] == 1 else { throw .invalidVersion(rest[rest.startIndex + 2]) }
            self.fileClass = fileClass
            byteOrder = data == 1 ? .little : .big
        }
        osABI = rest[rest.startIndex + 3]
        abiVersion = rest[rest.startIndex + 4]
        paddingIsZero = rest[(rest.startIndex + 5)...].allSatisfy { $0 == 0 }

        let fields = ByteReader(bytes, order: byteOrder)
        let wide = fileClass == .bits64
        guard fields.count >= fileClass.headerSize,
            let type: UInt16 = fields.integer(at: 16), let machine: UInt16 = fields.integer(at: 18),
            let version: UInt32 = fields.integer(at: 20),
            let entry = fields.word(at: 24, wide: wide),
            let programHeaderOffset = fields.word(at: wide ? 32 : 28, wide: wide),
            let sectionHeaderOffset = fields.word(at: wide ? 40 : 32, wide: wide),
            let flags: UInt32 = fields.integer(at: wide ? 48 : 36),
            let programHeaderSize: UInt16 = fields.integer(at: wide ? 54 : 42),
            let programHeaderCount: UInt16 = fields.integer(at: wide ? 56 : 44),
            let sectionHeaderSize: UInt16 = fields.integer(at: wide ? 58 : 46),
            let sectionHeaderCount: UInt16 = fields.integer(at: wide ? 60 : 48),
            let sectionNameIndex: UInt16 = fields.integer(at: wide ? 62 : 50)
        else { throw .truncated(.fileHeader, offset: UInt64(bytes.count)) }
        self.type = ELFType(rawValue: type)
        self.machine = ELFMachine(rawValue: machine)
        self.version = version
        self.entry = entry
        self.flags = flags
        self.programHeaderOffset = programHeaderOffset
        self.sectionHeaderOffset = sectionHeaderOffset
        self.programHeaderSize = programHeaderSize
        self.programHeaderCount = programHeaderCount
        self.sectionHeaderSize = sectionHeaderSize
        self.sectionHeaderCount = sectionHeaderCount
        self.sectionNameIndex = sectionNameIndex
    }

    /// The four bytes that every ELF file begins with.
    public static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
}

/// e_type: what the file is for. Any value is kept.
public struct ELFType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let relocatable = ELFType(rawValue: 1)
    /// ET_EXEC: a program at a fixed address.
    public static let executable = ELFType(rawValue: 2)
    /// ET_DYN: a shared object or a position-independent program.
    public static let dynamic = ELFType(rawValue: 3)
    public static let core = ELFType(rawValue: 4)
}

extension ByteReader {
    /// An address, offset or size: 8 bytes in a 64-bit file, 4 in a 32-bit one.
    func word(at offset: Int, wide: Bool) -> UInt64? {
        wide ? integer(at: offset, as: UInt64.self) : integer(at: offset, as: UInt32.self).map(UInt64.init)
    }
}
