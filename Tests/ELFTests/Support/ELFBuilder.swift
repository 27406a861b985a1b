import Bytes
import ELF

/// Writes small ELF files of either class and byte order, right or wrong, from literal parts.
struct ELFBuilder {
    var fileClass = ELFClass.bits64
    var order = ByteOrder.little
    var type: UInt16 = 3
    var machine: UInt16 = 62
    /// e_flags, whose meaning depends on the machine.
    var flags: UInt32 = 0
    var entry: UInt64 = 0
    var interpreter: String?
    /// Dynamic entries; nil leaves PT_DYNAMIC out.
    var dynamic: [Entry]? = []
    /// Dynamic symbols behind the null one; nil leaves DT_SYMTAB out.
    var symbols: [Symbol]?
    /// Descriptors of `.note.dlopen` notes, in a segment of their own.
    var dlopenNotes: [String] = []
    var terminatesInterpreter = true
    /// e_phnum, and the count in the first section header for PN_XNUM.
    var announcedProgramHeaders: UInt16?
    var extendedProgramHeaders: UInt32?
    /// Bytes behind everything else, which no segment holds.
    var trailer: [UInt8] = []

    struct Symbol {
        var name: String
        var isDefined: Bool

        init(_ name: String, isDefined: Bool) {
            self.name = name
            self.isDefined = isDefined
        }
    }

    enum Entry {
        case string(UInt64, String)
        case number(UInt64, UInt64)
    }

    /// Where the file is mapped: another place than in the file, so that mixing them up shows.
    static let base: UInt64 = 0x40_0000

    private var wide: Bool { fileClass == .bits64 }

    func build() -> [UInt8] {
        let (headerSize, segmentSize) = wide ? (64, 56) : (52, 32)
        let segments = 1 + (dynamic == nil ? 0 : 1) + (interpreter == nil ? 0 : 1) + (dlopenNotes.isEmpty ? 0 : 1)
        var strings: [UInt8] = [0]
        var entries: [(UInt64, UInt64)] = []
        for entry in dynamic ?? [] {
            switch entry {
            case .number(let tag, let value): entries.append((tag, value))
            case .string(let tag, let text):
                entries.append((tag, UInt64(strings.count)))
                strings += Array(text.utf8) + [0]
            }
        }
        let path =
            interpreter.map { Array($0.utf8) + [UInt8](repeating: 0, count: terminatesInterpreter ? 1 : 0) } ?? []
        let pathStart = headerSize + segments * segmentSize
        // Symbols lie before the strings, as linkers put them.
        let symbolBytes = self.symbolBytes(&strings)
        let symbolStart = (pathStart + path.count + 7) / 8 * 8
        if symbols != nil { entries += [(6, Self.base + UInt64(symbolStart)), (11, wide ? 24 : 16)] }
        let stringStart = symbolStart + symbolBytes.count
        let dynamicStart = (stringStart + strings.count + 15) / 16 * 16
        entries += [(5, Self.base + UInt64(stringStart)), (10, UInt64(strings.count)), (0, 0)]
        let dynamicBytes = entries.flatMap { word($0.0) + word($0.1) }
        let noteStart = dynamicStart + dynamicBytes.count
        let noteBytes = dlopenNotes.flatMap(note)
        let sectionStart = noteStart + noteBytes.count

        var file = header(segments: segments, sections: extendedProgramHeaders == nil ? 0 : sectionStart)
        file += segment(1, 0, sectionStart)
        if dynamic != nil { file += segment(2, dynamicStart, dynamicBytes.count) }
        if interpreter != nil { file += segment(3, pathStart, path.count) }
        if !dlopenNotes.isEmpty { file += segment(4, noteStart, noteBytes.count) }
        file += path
        file += [UInt8](repeating: 0, count: symbolStart - file.count) + symbolBytes + strings
        file += [UInt8](repeating: 0, count: dynamicStart - file.count) + dynamicBytes + noteBytes
        if let extendedProgramHeaders {
            var section = [UInt8](repeating: 0, count: wide ? 64 : 40)
            section.replaceSubrange((wide ? 44 : 28)..<(wide ? 48 : 32), with: bytes(extendedProgramHeaders))
            file += section
        }
        return file + trailer
    }

    private func symbolBytes(_ strings: inout [UInt8]) -> [UInt8] {
        guard let symbols else { return [] }
        var table = [UInt8](repeating: 0, count: wide ? 24 : 16)
        for symbol in symbols {
            let (name, section) = (bytes(UInt32(strings.count)), bytes(UInt16(symbol.isDefined ? 1 : 0)))
            strings += Array(symbol.name.utf8) + [0]
            // Global functions (st_info 0x12).
            table +=
                wide ? name + [0x12, 0] + section + word(0) + word(0) : name + word(0) + word(0) + [0x12, 0] + section
        }
        return table
    }

    /// A note of the owner FDO, its descriptor terminated and padded to 4 bytes.
    func note(_ descriptor: String) -> [UInt8] {
        let text = Array(descriptor.utf8) + [0]
        let padding = [UInt8](repeating: 0, count: (4 - text.count % 4) % 4)
        return bytes(UInt32(4)) + bytes(UInt32(text.count)) + bytes(UInt32(0x407c_0c0a)) + Array("FDO\u{0}".utf8) + text
            + padding
    }

    private func header(segments: Int, sections: Int) -> [UInt8] {
        var file =
            ELFHeader.magic + [fileClass.rawValue, order == .little ? 1 : 2, 1] + [UInt8](repeating: 0, count: 9)
        file += bytes(type) + bytes(machine) + bytes(UInt32(1)) + word(entry)
        file += word(wide ? 64 : 52) + word(UInt64(sections)) + bytes(flags)
        file += bytes(UInt16(wide ? 64 : 52)) + bytes(UInt16(wide ? 56 : 32))
        file += bytes(announcedProgramHeaders ?? UInt16(segments))
        return file + bytes(UInt16(wide ? 64 : 40)) + bytes(UInt16(0)) + bytes(UInt16(0))
    }

    private func segment(_ type: UInt32, _ start: Int, _ size: Int) -> [UInt8] {
        let (offset, length) = (UInt64(start), UInt64(size))
        let place = word(offset) + word(Self.base + offset) + word(0) + word(length) + word(length)
        return wide
            ? bytes(type) + bytes(UInt32(4)) + place + word(0x1000)
            : bytes(type) + place + bytes(UInt32(4)) + word(0x1000)
    }

    private func word(_ value: UInt64) -> [UInt8] {
        wide ? bytes(value) : bytes(UInt32(truncatingIfNeeded: value))
    }

    private func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: order == .little ? value.littleEndian : value.bigEndian) { Array($0) }
    }
}

/// What `bytes` are read as.
func parse(_ bytes: [UInt8]) throws(ELFError) -> ELFImage {
    do { return try ELFImage(reading: ELFBytes(bytes)) } catch {
        switch error {
        case .format(let error): throw error
        }
    }
}
