import Bytes

/// Reads the dynamic section. Names are found as the loader finds them: through the segment that maps DT_STRTAB.
struct DynamicParser<Source: ELFSource> {
    typealias Failure = ELFReadError<Source.Failure>

    var window: ELFWindow<Source>
    let header: ELFHeader
    let programHeaders: [ProgramHeader]
    private(set) var strings: (offset: UInt64, size: UInt64)?

    init(window: ELFWindow<Source>, header: ELFHeader, programHeaders: [ProgramHeader]) {
        self.window = window
        self.header = header
        self.programHeaders = programHeaders
    }

    mutating func parse(_ segment: ProgramHeader) throws(Failure) -> DynamicSection {
        let entries = try readEntries(segment)
        // As in glibc's elf_get_dynamic_info, of a tag that occurs twice the last counts; only names to load are lists.
        var last: [DynamicTag: UInt64] = [:]
        for entry in entries { last[entry.tag] = entry.value }
        if let address = last[.stringTable] {
            let place = try place(of: address, .stringTable)
            strings = (place.offset, min(place.available, last[.stringTableSize] ?? place.available))
        }
        var section = DynamicSection()
        for entry in entries {
            let kind: DynamicSection.Dependency.Kind
            switch entry.tag {
            case .needed: kind = .needed
            case .filter: kind = .filter
            case .auxiliary: kind = .auxiliary
            default: continue
            }
            section.dependencies.append(.init(kind, try string(entry.value, entry.tag)))
        }
        section.soname = try name(.soname, last)
        section.rpath = try name(.rpath, last)
        section.runpath = try name(.runpath, last)
        section.audit = try name(.audit, last)
        section.dependencyAudit = try name(.dependencyAudit, last)
        section.flags = last[.flags] ?? 0
        section.flags1 = .init(rawValue: last[.flags1] ?? 0)
        section.versionNeeds = try versionNeeds(last)
        section.versionDefinitions = try versionDefinitions(last)
        section.definesVersions = last[.versionDefinitions] != nil
        section.symbolTable = symbolTable(last)
        return section
    }

    private mutating func readEntries(_ segment: ProgramHeader) throws(Failure) -> [(tag: DynamicTag, value: UInt64)] {
        guard segment.fileSize <= Limits.dynamicBytes else {
            throw .format(.tooLarge(.dynamicSection, count: segment.fileSize, limit: Limits.dynamicBytes))
        }
        // The loader reads the mapped section (p_vaddr); where nothing maps it, the file offset is all there is.
        let mapped = programHeaders.lazy.compactMap { $0.fileRange(of: segment.address) }.first
        let bytes = try window.bytes(at: mapped?.offset ?? segment.offset, count: Int(segment.fileSize))
        guard bytes.count == Int(segment.fileSize) else {
            throw .format(.truncated(.dynamicSection, offset: segment.offset))
        }
        let table = ByteReader(bytes, order: header.byteOrder)
        let wide = header.fileClass == .bits64
        let size = header.fileClass.dynamicEntrySize
        var entries: [(DynamicTag, UInt64)] = []
        for start in stride(from: 0, to: table.count, by: size) {
            guard let tag = table.word(at: start, wide: wide), tag != DynamicTag.null.rawValue,
                let value = table.word(at: start + size / 2, wide: wide)
            else { break }
            if let known = DynamicTag(rawValue: tag) { entries.append((known, value)) }
        }
        return entries
    }

    /// The place in the file of the address that `tag` gives.
    func place(of address: UInt64, _ tag: DynamicTag) throws(Failure) -> (offset: UInt64, available: UInt64) {
        guard let place = programHeaders.lazy.compactMap({ $0.fileRange(of: address) }).first else {
            throw .format(.addressNotMapped(tag, address: address))
        }
        return place
    }

    private mutating func name(_ tag: DynamicTag, _ last: [DynamicTag: UInt64]) throws(Failure) -> ByteString? {
        guard let offset = last[tag] else { return nil }
        return try string(offset, tag)
    }

    /// The string at `offset` of the string table.
    mutating func string(_ offset: UInt64, _ tag: DynamicTag) throws(Failure) -> ByteString {
        guard let strings else { throw .format(.noStringTable) }
        guard offset < strings.size else { throw .format(.stringOutOfBounds(tag, offset: offset)) }
        let (place, overflow) = strings.offset.addingReportingOverflow(offset)
        let limit = Int(min(strings.size - offset, Limits.stringBytes))
        guard !overflow, let string = try window.string(at: place, limit: limit) else {
            throw .format(.stringOutOfBounds(tag, offset: offset))
        }
        return string
    }
}
