import Bytes

/// Where the data of a sparse file lie in it: everything between is zeros and is not in the archive.
///
/// Four forms are met (GNU tar manual, Storing Sparse Files): that of old GNU archives in the header block and blocks behind it;
/// PAX 0.0, a pair of records for each part; PAX 0.1, one record; PAX 1.0, decimal lines in front of the content.
struct SparseMap: Hashable, Sendable {
    /// A part that has data. Parts are in order and do not overlap.
    struct Part: Hashable, Sendable {
        var offset: UInt64
        var count: UInt64
    }

    private(set) var parts: [Part] = []
    /// Of all parts together.
    private(set) var stored: UInt64 = 0
    private var end: UInt64 = 0

    /// Adds the next part; false when it begins before the last ends, or its end is no 63-bit number.
    mutating func add(offset: UInt64, count: UInt64) -> Bool {
        let (next, overflow) = offset.addingReportingOverflow(count)
        guard !overflow, next <= UInt64(Int64.max), offset >= end else { return false }
        end = next
        // At most `end`, since parts do not overlap.
        stored += count
        if count > 0 { parts.append(Part(offset: offset, count: count)) }
        return true
    }

    /// Whether all parts lie in a file of `size` bytes whose archived content has `stored`.
    func fits(size: UInt64, stored: UInt64) -> Bool { end <= size && self.stored == stored }
}

// MARK: Old GNU

extension SparseMap {
    /// Fields of the header block (GNU tar, tar.h, struct oldgnu_header).
    static let headerParts = 386..<482
    static let headerIsExtended = 482
    static let realSize = 483..<495
    /// Fields of a block behind it (struct sparse_header).
    static let blockParts = 0..<504
    static let blockIsExtended = 504

    /// Adds the parts in `field` of `block`; false when one is malformed. Unused places are all NUL, and end the list.
    mutating func add(_ block: [UInt8], _ field: Range<Int>) -> Bool {
        for start in stride(from: field.lowerBound, to: field.upperBound, by: 24) {
            if block[start..<(start + 24)].allSatisfy({ $0 == 0 }) { break }
            guard let offset = TarBlock.number(block, start..<(start + 12)).flatMap({ UInt64(exactly: $0) }),
                let count = TarBlock.number(block, (start + 12)..<(start + 24)).flatMap({ UInt64(exactly: $0) }),
                add(offset: offset, count: count)
            else { return false }
        }
        return true
    }
}

// MARK: PAX

/// What the `GNU.sparse.*` records of one member say.
struct SparseRecords: Hashable, Sendable {
    static let prefix: ByteString = "GNU.sparse."

    /// Formats 0.0 and 0.1: the map itself, as alternating offsets and counts; their order is that of the records.
    private var numbers: [UInt64] = []
    private var hasMap = false
    private var values: [ByteString: ByteString] = [:]
    private var isMalformed = false

    /// Whether there are any: then the member is a sparse file.
    var isPresent: Bool { hasMap || values["major"] != nil }
    /// Format 1.0: the map stands in front of the content.
    var isPrefixed: Bool { values["major"] == "1" && values["minor"] == "0" }
    /// The file's own name; that in the header is made up for readers that know no sparse files.
    var name: ByteString? { values["name"].flatMap { $0.isEmpty ? nil : $0 } }
    /// The size of the file with its holes; nil when it is not said, or malformed.
    var realSize: UInt64? { (values["realsize"] ?? values["size"]).flatMap { PAXRecords.natural($0) } }
    /// Whether the version is one that is not known.
    var isUnknown: Bool { values["major"] != nil && !isPrefixed && !(values["major"] == "0") }

    mutating func add(_ key: ByteString, _ value: ByteString) {
        let name = ByteString(key.bytes.dropFirst(Self.prefix.count))
        switch name {
        case "offset", "numbytes":
            hasMap = true
            // A pair is an offset and then a count.
            guard let number = PAXRecords.natural(value), numbers.count % 2 == (name == "offset" ? 0 : 1) else {
                return isMalformed = true
            }
            numbers.append(number)
        case "map":
            hasMap = true
            numbers = []
            if value.isEmpty { return }
            for part in value.split(on: UInt8(ascii: ",")) {
                guard let number = PAXRecords.natural(part) else { return isMalformed = true }
                numbers.append(number)
            }
        case "numblocks":
            hasMap = true
            values[name] = value
        default: values[name] = value
        }
    }

    /// The map of formats 0.0 and 0.1; nil when it is malformed.
    func map() -> SparseMap? {
        guard !isMalformed, numbers.count % 2 == 0 else { return nil }
        if let count = values["numblocks"], PAXRecords.natural(count) != UInt64(numbers.count / 2) { return nil }
        var map = SparseMap()
        for index in stride(from: 0, to: numbers.count, by: 2) {
            guard map.add(offset: numbers[index], count: numbers[index + 1]) else { return nil }
        }
        return map
    }
}

/// Reads the map of format 1.0 from the blocks in front of a content: the number of parts, then offset and count of each, a
/// decimal number in each line; the last block is filled with NULs.
struct PrefixedSparseMap: Sendable {
    private var text: [UInt8] = []
    private var expected: Int?
    private var numbers: [UInt64] = []
    /// How many bytes of blocks were taken.
    private(set) var size: UInt64 = 0

    /// Takes a block.
    ///
    /// - Returns: the map when it is whole, nil when further blocks belong to it.
    /// - Throws: ``TarError/badNumber(field:offset:)``, ``TarError/extensionTooLarge(offset:)``.
    mutating func add(_ block: [UInt8], offset: UInt64) throws(TarError) -> SparseMap? {
        size += UInt64(block.count)
        guard size <= TarDecoder.extensionLimit else { throw .extensionTooLarge(offset: offset) }
        let malformed = TarError.badNumber(field: "map of a sparse file", offset: offset)
        for byte in block {
            guard byte == UInt8(ascii: "\n") else {
                // No number that fits has more digits.
                guard text.count < 20 else { throw malformed }
                text.append(byte)
                continue
            }
            guard let number = PAXRecords.natural(ByteString(text)) else { throw malformed }
            text.removeAll(keepingCapacity: true)
            if expected == nil {
                guard number <= UInt64(TarDecoder.extensionLimit) else { throw malformed }
                expected = 2 * Int(number)
            } else {
                numbers.append(number)
            }
            guard numbers.count == expected else { continue }
            var map = SparseMap()
            for index in stride(from: 0, to: numbers.count, by: 2) {
                guard map.add(offset: numbers[index], count: numbers[index + 1]) else { throw malformed }
            }
            return map
        }
        return nil
    }
}
