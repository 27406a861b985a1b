import Bytes

extension ELFImage {
    /// The libraries that the object's `.note.dlopen` notes name, and what is wrong with those that cannot be read.
    ///
    /// Notes are found by their type in the segments of notes (PT_NOTE), since sections may be stripped; in a file
    /// without such a note there, as objcopy(1) leaves it, in the sections of notes.
    ///
    /// - Parameter source: the source that the image was read from.
    /// - Throws: what the source throws. Damage is in the answer: a program starts in spite of it.
    public func dlopenNotes<Source: ELFSource>(
        reading source: Source
    ) throws(Source.Failure) -> (notes: [DlopenNote], errors: [DlopenNoteError]) {
        var reader = NoteReader(source: source, header: header)
        for segment in programHeaders where segment.type == .note {
            try reader.read(at: segment.offset, size: segment.fileSize, alignment: segment.alignment)
        }
        if reader.notes.isEmpty, reader.errors.isEmpty {
            // What is in the segments was read.
            for section in try reader.noteSections() where !isInNoteSegment(section.offset, section.size) {
                try reader.read(at: section.offset, size: section.size, alignment: section.alignment)
            }
        }
        return (reader.notes, reader.errors)
    }

    private func isInNoteSegment(_ offset: UInt64, _ size: UInt64) -> Bool {
        programHeaders.contains { segment in
            segment.type == .note && segment.offset <= offset && offset - segment.offset <= segment.fileSize
                && size <= segment.fileSize - (offset - segment.offset)
        }
    }
}

/// A section of notes. (In the generic reader it would be a type of which the metadata is looked up for each section.)
private struct NoteSection {
    let name: UInt32
    let offset: UInt64
    let size: UInt64
    let alignment: UInt64
}

/// Walks through notes: gABI, "Note Section".
private struct NoteReader<Source: ELFSource> {
    let source: Source
    let header: ELFHeader
    var notes: [DlopenNote] = []
    var errors: [DlopenNoteError] = []
    /// How many bytes of notes may still be read: a file of many headers must not have its bytes read many times.
    private var budget = Limits.noteBytes
    private var nameCount = 0

    init(source: Source, header: ELFHeader) {
        self.source = source
        self.header = header
    }

    mutating func read(at offset: UInt64, size: UInt64, alignment: UInt64) throws(Source.Failure) {
        guard size >= 12, size <= budget else { return }
        budget -= size
        let bytes = try source.read(at: offset, count: Int(size))
        let reader = ByteReader(bytes, order: header.byteOrder)
        // Descriptors are aligned to 4 bytes, except in the segment of GNU properties.
        let unit = alignment == 8 ? 8 : 4
        var place = 0
        while let nameSize: UInt32 = reader.integer(at: place), let size: UInt32 = reader.integer(at: place + 4),
            let type: UInt32 = reader.integer(at: place + 8)
        {
            let start = aligned(place + 12 + Int(nameSize), unit)
            let isOurs = type == DlopenNote.type && isOwner(reader.slice(at: place + 12, count: Int(nameSize)))
            guard let descriptor = reader.slice(at: start, count: Int(size)) else {
                if isOurs { errors.append(.truncated) }
                return
            }
            if isOurs {
                do { add(try DlopenNote.parse(descriptor)) } catch { errors.append(error) }
            }
            place = aligned(start + Int(size), unit)
        }
    }

    /// Each name costs a search, so a file must not have them without end.
    private mutating func add(_ more: [DlopenNote]) {
        for note in more {
            nameCount += note.sonames.count
            guard nameCount <= Limits.dlopenNames else {
                if errors.last != .tooMany { errors.append(.tooMany) }
                return
            }
            notes.append(note)
        }
    }

    private func isOwner(_ name: ArraySlice<UInt8>?) -> Bool {
        name?.prefix { $0 != 0 }.elementsEqual(DlopenNote.owner) ?? false
    }

    private func aligned(_ place: Int, _ unit: Int) -> Int { (place + unit - 1) / unit * unit }

    /// The sections of notes, by their type or name; none where the section headers are stripped or damaged.
    mutating func noteSections() throws(Source.Failure) -> [NoteSection] {
        let wide = header.fileClass == .bits64
        let size = wide ? 64 : 40
        let count = Int(header.sectionHeaderCount)
        guard header.sectionHeaderOffset != 0, count > 0, Int(header.sectionHeaderSize) == size else { return [] }
        let table = ByteReader(
            try source.read(at: header.sectionHeaderOffset, count: count * size), order: header.byteOrder)
        func section(_ index: Int) -> NoteSection? {
            let start = index * size
            guard let name: UInt32 = table.integer(at: start),
                let offset = table.word(at: start + (wide ? 24 : 16), wide: wide),
                let size = table.word(at: start + (wide ? 32 : 20), wide: wide),
                let alignment = table.word(at: start + (wide ? 48 : 32), wide: wide)
            else { return nil }
            return NoteSection(name: name, offset: offset, size: size, alignment: alignment)
        }
        let names = try sectionNames(section(Int(header.sectionNameIndex)))
        // Hardly any file has the name, and looking once for it is cheaper than looking at the name of each section.
        let hasName = names.contains(DlopenNote.sectionName.bytes)
        // SHT_NOTE is 7; SHT_NOBITS, 8, has no bytes in the file.
        var sections: [NoteSection] = []
        for index in 0..<count {
            guard let type: UInt32 = table.integer(at: index * size + 4), type == 7 || (hasName && type != 8),
                let section = section(index)
            else { continue }
            if type == 7 || names.terminatedString(at: Int(section.name)) == DlopenNote.sectionName {
                sections.append(section)
            }
        }
        return sections
    }

    private func sectionNames(_ section: NoteSection?) throws(Source.Failure) -> ByteReader {
        guard let section, section.size <= Limits.noteBytes else { return ByteReader([], order: header.byteOrder) }
        return ByteReader(
            try source.read(at: section.offset, count: Int(section.size)), order: header.byteOrder)
    }
}
