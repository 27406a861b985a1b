public import Bytes

/// Where an object's dynamic symbols and their names lie in the file (DT_SYMTAB, DT_STRTAB).
public struct SymbolTable: Hashable, Sendable {
    /// The offset of the first symbol, and the bytes of all of them.
    let offset: UInt64
    let size: UInt64
    /// The offset and size of the names.
    let strings: UInt64
    let stringsSize: UInt64
}

/// Which dynamic symbols are asked for.
public enum SymbolSelection: Hashable, Sendable {
    /// Those that another object has to define (st_shndx is SHN_UNDEF).
    case imported
    /// Those that this object defines.
    case defined
}

extension ELFImage {
    /// The names of the dynamic symbols, in the table's order: gABI, "Symbol Table". Symbols without a name, and such
    /// whose name does not end inside the string table, are left out. Empty without a dynamic symbol table.
    ///
    /// Not part of parsing, since few callers want them and large libraries have tens of thousands.
    ///
    /// - Parameter source: the source that the image was read from.
    /// - Throws: what the source throws, and ``ELFError`` when the tables are cut off or larger than any real ones.
    public func dynamicSymbols<Source: ELFSource>(
        _ selection: SymbolSelection, reading source: Source
    ) throws(ELFReadError<Source.Failure>) -> [ByteString] {
        guard let table = dynamic?.symbolTable, table.size > 0 else { return [] }
        let symbols = try Self.read(source, table.offset, table.size, Limits.symbolBytes)
        let strings = try Self.read(source, table.strings, table.stringsSize, Limits.symbolStringBytes)
        let (reader, names) = (ByteReader(symbols, order: header.byteOrder), ByteReader(strings, order: .little))
        let size = header.fileClass.symbolSize
        // st_shndx follows st_info and st_other in 64-bit files and ends 32-bit ones.
        let sectionPlace = header.fileClass == .bits64 ? 6 : 14
        var result: [ByteString] = []
        // A file in which every symbol has one long name must not become many times its size in memory.
        let limit = 2 * strings.count + Int(Limits.stringBytes)
        var budget = limit
        for start in stride(from: 0, to: reader.count - size + 1, by: size) {
            guard let name: UInt32 = reader.integer(at: start), name != 0,
                let section: UInt16 = reader.integer(at: start + sectionPlace),
                (section == 0) == (selection == .imported),
                let text = names.terminatedString(at: Int(name)), !text.isEmpty
            else { continue }
            budget -= text.count
            guard budget >= 0 else {
                throw .format(.tooLarge(.symbols, count: UInt64(limit - budget), limit: UInt64(limit)))
            }
            result.append(text)
        }
        return result
    }

    private static func read<Source: ELFSource>(
        _ source: Source, _ offset: UInt64, _ size: UInt64, _ limit: UInt64
    ) throws(ELFReadError<Source.Failure>) -> [UInt8] {
        guard size <= limit else { throw .format(.tooLarge(.symbols, count: size, limit: limit)) }
        let bytes: [UInt8]
        do { bytes = try source.read(at: offset, count: Int(size)) } catch { throw .source(error) }
        guard bytes.count == Int(size) else { throw .format(.truncated(.symbols, offset: offset)) }
        return bytes
    }
}

extension ELFClass {
    /// The bytes of a symbol (`Elf32_Sym`, `Elf64_Sym`).
    var symbolSize: Int { self == .bits64 ? 24 : 16 }
}

extension DynamicParser {
    /// The place of the symbols; nil without them or where no segment holds them.
    ///
    /// No entry tells how many there are, and the hash tables leave out what is imported. But linkers put the tables
    /// that entries point to one behind the other, so the next one's address ends this one.
    func symbolTable(_ tags: [DynamicTag: UInt64]) -> SymbolTable? {
        let size = UInt64(header.fileClass.symbolSize)
        guard let address = tags[.symbolTable], (tags[.symbolEntrySize] ?? size) == size, let strings,
            let place = try? place(of: address, .symbolTable)
        else { return nil }
        let next = Self.tables.compactMap { tags[$0] }.filter { $0 > address }.min() ?? .max
        let bytes = min(next - address, place.available) / size * size
        return SymbolTable(offset: place.offset, size: bytes, strings: strings.offset, stringsSize: strings.size)
    }

    private static var tables: [DynamicTag] {
        [
            .stringTable, .hash, .gnuHash, .symbolVersions, .versionNeeds, .versionDefinitions, .relocations,
            .relocationsWithAddends, .linkageRelocations, .procedureLinkageTable,
        ]
    }
}
