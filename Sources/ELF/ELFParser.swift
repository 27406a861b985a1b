import Bytes

/// Reads an ``ELFImage``. Offsets, counts and addresses are the file's and believed only after a check.
struct ELFParser<Source: ELFSource> {
    typealias Failure = ELFReadError<Source.Failure>

    var window: ELFWindow<Source>

    init(_ source: Source) { window = ELFWindow(source) }

    mutating func parse(assuming assumed: ELFHeader?) throws(Failure) -> ELFImage {
        let start = try window.bytes(at: 0, count: ELFClass.bits64.headerSize)
        let header: ELFHeader
        do { header = try ELFHeader(start, assuming: assumed) } catch { throw .format(error) }
        let programHeaders = try readProgramHeaders(header)
        var dynamic: DynamicSection?
        if let segment = programHeaders.first(where: { $0.type == .dynamic }) {
            var parser = DynamicParser(window: window, header: header, programHeaders: programHeaders)
            dynamic = try parser.parse(segment)
            window = parser.window
        }
        return ELFImage(
            header: header, programHeaders: programHeaders, interpreter: try readInterpreter(programHeaders),
            dynamic: dynamic)
    }

    private mutating func readProgramHeaders(_ header: ELFHeader) throws(Failure) -> [ProgramHeader] {
        let count = try programHeaderCount(header)
        guard count > 0 else { return [] }
        let size = header.fileClass.programHeaderSize
        guard Int(header.programHeaderSize) == size else {
            throw .format(.programHeaderSize(found: header.programHeaderSize, expected: size))
        }
        guard count <= Limits.programHeaders else {
            throw .format(.tooLarge(.programHeaders, count: UInt64(count), limit: UInt64(Limits.programHeaders)))
        }
        let table = try window.reader(
            at: header.programHeaderOffset, count: count * size, order: header.byteOrder, .programHeaders)
        return (0..<count).compactMap { ProgramHeader(table, at: $0 * size, header.fileClass) }
    }

    /// PN_XNUM: with 65,535 or more headers, their number is in the first section header (gABI, "Extended Program
    /// Header Numbering").
    private mutating func programHeaderCount(_ header: ELFHeader) throws(Failure) -> Int {
        guard header.programHeaderCount == 0xffff, header.sectionHeaderOffset != 0 else {
            return Int(header.programHeaderCount)
        }
        let wide = header.fileClass == .bits64
        let section = try window.reader(
            at: header.sectionHeaderOffset, count: wide ? 64 : 40, order: header.byteOrder, .sectionHeader)
        guard let count: UInt32 = section.integer(at: wide ? 44 : 28) else { return 0 }
        return Int(count)
    }

    /// The kernel wants one terminated path of at most PATH_MAX bytes (binfmt_elf.c, load_elf_binary).
    private mutating func readInterpreter(_ programHeaders: [ProgramHeader]) throws(Failure) -> ByteString? {
        guard let segment = programHeaders.first(where: { $0.type == .interpreter }) else { return nil }
        guard segment.fileSize >= 2, segment.fileSize <= Limits.path else { throw .format(.invalidInterpreter) }
        let bytes = try window.bytes(at: segment.offset, count: Int(segment.fileSize))
        guard bytes.count == Int(segment.fileSize) else {
            throw .format(.truncated(.interpreter, offset: segment.offset))
        }
        guard bytes.last == 0 else { throw .format(.invalidInterpreter) }
        return ByteString(bytes.prefix { $0 != 0 })
    }
}

/// Bounds on what one file can make the reader hold. Real files stay far below them.
enum Limits {
    static let programHeaders = 1 << 17
    static let path: UInt64 = 4096
    static let dynamicBytes: UInt64 = 1 << 21
    static let stringBytes: UInt64 = 1 << 20
    static let versionEntries = 1 << 16
    static let noteBytes: UInt64 = 1 << 20
    static let dlopenNames = 4096
    static let symbolBytes: UInt64 = 1 << 25
    static let symbolStringBytes: UInt64 = 1 << 26
}
