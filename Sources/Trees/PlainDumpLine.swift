import Bytes
import Digests

/// A line of a ``TreeDump`` as nearly all of them are: a directory, file or link without attributes, and no escape in any field.
///
/// Parts of it lie in the line itself. What this takes is the canonical form, so that it need not be written anew to be compared; what
/// it does not take may be canonical all the same, and is read as ``DumpLine``.
struct PlainDumpLine {
    /// The path in its two parts (see `TreePath.withParts`).
    var directory: UnsafeRawBufferPointer
    var name: UnsafeRawBufferPointer
    var kind: PackedAspect.Kind
    var mode: UInt16
    var uid: UInt32
    var gid: UInt32
    var seconds: Int64
    var nanoseconds: UInt32
    var size: UInt64
    var digest = Digest.empty
    /// Of a link.
    var target = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Of a directory.
    var subdirectories = 0

    /// nil for a line of any other form.
    init?(_ line: UnsafeBufferPointer<UInt8>) {
        var fields = PlainFields(line)
        guard let slash = fields.path() else { return nil }
        directory = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(line)[..<slash])
        name = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(line)[(slash + 1)..<(fields.position - 1)])
        guard let size = fields.number(), let type = fields.number(radix: 8), type <= 0o177777,
            let links = fields.number(), let uid = fields.number(), let gid = fields.number(),
            let device = fields.number(), device == 0, let uid = UInt32(exactly: uid), let gid = UInt32(exactly: gid),
            let seconds = fields.signedNumber(endingIn: "."), let nanoseconds = fields.number(),
            nanoseconds < 1_000_000_000
        else { return nil }
        (self.size, mode, self.uid, self.gid) = (size, UInt16(type & 0o7777), uid, gid)
        (self.seconds, self.nanoseconds) = (seconds, UInt32(nanoseconds))
        if type & 0o170000 == 0o100000, size > 0 {
            // Nearly all lines: nothing is looked for whose place is known.
            guard links == 1, let payload = fields.text(count: 65), let digest = BlobPath.digest(payload),
                fields.endsWithDashes
            else { return nil }
            (kind, self.digest) = (.file, digest)
            return
        }
        let payload = fields.text()
        switch type & 0o170000 {
        case 0o040000:
            guard size == 0, links >= 2, let links = UInt32(exactly: links), payload.isDash else { return nil }
            (kind, subdirectories) = (.directory, Int(links) - 2)
        case 0o100000:
            guard links == 1, payload.isDash else { return nil }
            kind = .file
        case 0o120000:
            guard links == 1, !payload.isDash, !payload.isEmpty, size == UInt64(payload.count) else { return nil }
            (kind, target) = (.symlink, UnsafeRawBufferPointer(payload))
        default: return nil
        }
        guard fields.endsWithDashes else { return nil }
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate var isDash: Bool { count == 1 && self[0] == UInt8(ascii: "-") }
}

/// Reads a line from left to right. Each reading goes on behind the separator that ends it; the last field has none.
private struct PlainFields {
    let line: UnsafeBufferPointer<UInt8>
    var position = 0

    init(_ line: UnsafeBufferPointer<UInt8>) { self.line = line }

    /// Reads a path that is written as `TreePath` has it.
    ///
    /// - Returns: where its last slash is; nil for any other text.
    @inline(__always)
    mutating func path() -> Int? {
        guard let first = line.first, first == UInt8(ascii: "/") else { return nil }
        var slash = 0
        var index = 1
        let bytes = UnsafeRawBufferPointer(line)
        while index < line.count {
            var (slashes, others): (UInt64, UInt64) = (0, 0)
            if index + 8 <= line.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                slashes = EightBytes.equal(word, UInt8(ascii: "/"))
                others =
                    EightBytes.below(word, 0x21) | word & EightBytes.tops | EightBytes.equal(word, 0x7f)
                    | EightBytes.equal(word, UInt8(ascii: "=")) | EightBytes.equal(word, UInt8(ascii: "\\"))
            } else {
                if line[index] == UInt8(ascii: "/") { slashes = 0x80 }
                if !Self.isPlain(line[index]) { others = 0x80 }
            }
            let isLast = others != 0
            // What comes behind the first byte that ends the path is no part of it.
            if isLast { slashes &= (others & (0 &- others)) &- 1 }
            while slashes != 0 {
                let next = index + slashes.trailingZeroBitCount / 8
                guard isName(slash + 1, next) else { return nil }
                slash = next
                slashes &= slashes &- 1
            }
            if isLast {
                index += others.trailingZeroBitCount / 8
                break
            }
            index += index + 8 <= line.count ? 8 : 1
        }
        guard index < line.count, line[index] == UInt8(ascii: " ") else { return nil }
        // The root has no name; nothing else ends in a slash.
        guard index == 1 || isName(slash + 1, index) else { return nil }
        position = index + 1
        return slash
    }

    /// Whether what lies between `start` and `end` can be one component of a path.
    @inline(__always)
    private func isName(_ start: Int, _ end: Int) -> Bool {
        let dot = UInt8(ascii: ".")
        switch end - start {
        case 0: return false
        case 1: return line[start] != dot
        case 2: return line[start] != dot || line[start + 1] != dot
        default: return true
        }
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        let bits = byte < 0x40 ? plainBelow : plainAbove
        return byte < 0x80 && bits >> UInt64(byte & 0x3f) & 1 == 1
    }

    /// The bytes below 0x40 and those below 0x80 that stand for themselves: all that are printed but `=` and `\\`.
    private static let plainBelow: UInt64 = 0xffff_fffe_0000_0000 & ~(1 << 0x3d)
    private static let plainAbove: UInt64 = 0x7fff_ffff_ffff_ffff & ~(1 << 0x1c)

    /// Reads a number of few enough digits to fit, without zeros before it.
    @inline(__always)
    mutating func number(radix: UInt64 = 10, endingIn separator: UInt8 = UInt8(ascii: " ")) -> UInt64? {
        let start = position
        var value: UInt64 = 0
        while position < line.count {
            let byte = line[position]
            let digit = UInt64(byte &- UInt8(ascii: "0"))
            guard digit < radix else {
                let count = position - start
                guard byte == separator, count > 0, count <= 18, count == 1 || line[start] != UInt8(ascii: "0") else {
                    return nil
                }
                position += 1
                return value
            }
            value = value &* radix &+ digit
            position += 1
        }
        return nil
    }

    @inline(__always)
    mutating func signedNumber(endingIn separator: Unicode.Scalar) -> Int64? {
        guard position < line.count, line[position] == UInt8(ascii: "-") else {
            return number(endingIn: UInt8(ascii: separator)).map { Int64($0) }
        }
        position += 1
        // There is no negative zero.
        return number(endingIn: UInt8(ascii: separator)).flatMap { $0 == 0 ? nil : -Int64($0) }
    }

    /// Reads a text without escapes; gives an empty one for any other.
    @inline(__always)
    mutating func text() -> UnsafeBufferPointer<UInt8> {
        let start = position
        while position < line.count, Self.isPlain(line[position]) { position += 1 }
        guard position < line.count, line[position] == UInt8(ascii: " ") else {
            return UnsafeBufferPointer(rebasing: line[..<0])
        }
        defer { position += 1 }
        return UnsafeBufferPointer(rebasing: line[start..<position])
    }

    /// Reads a text of `count` bytes, whatever they are.
    @inline(__always)
    mutating func text(count: Int) -> UnsafeBufferPointer<UInt8>? {
        let end = position + count
        guard end < line.count, line[end] == UInt8(ascii: " ") else { return nil }
        defer { position = end + 1 }
        return UnsafeBufferPointer(rebasing: line[position..<end])
    }

    /// Whether the two fields that are never set are what is left.
    var endsWithDashes: Bool {
        line.count - position == 3 && line[position] == UInt8(ascii: "-")
            && line[position + 1] == UInt8(ascii: " ") && line[position + 2] == UInt8(ascii: "-")
    }
}

/// Looks at eight bytes at once. What is found of a byte is its highest bit.
enum EightBytes {
    static let ones: UInt64 = 0x0101_0101_0101_0101
    static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Where `word` has `byte`.
    @inline(__always)
    static func equal(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let differences = word ^ (ones &* UInt64(byte))
        return ~(((differences & ~tops) &+ ~tops) | differences | ~tops)
    }

    /// Where `word` has less than `limit`, of bytes that are less than 0x80; others are not looked at.
    @inline(__always)
    static func below(_ word: UInt64, _ limit: UInt8) -> UInt64 {
        ~((word | tops) &- ones &* UInt64(limit)) & ~word & tops
    }
}

/// Writes lines of packed entries that have no attributes, as ``DumpLine`` does.
struct PlainDumpLines {
    private let entries: PackedEntries
    /// Of each aspect, its fields before and behind the number of links, where they were written before.
    private var fields: [(before: [UInt8], behind: [UInt8])]

    init(_ entries: PackedEntries) {
        self.entries = entries
        fields = Array(repeating: ([], []), count: entries.aspects.count)
    }

    /// - Parameter subdirectories: as ``DumpLine/init(_:subdirectories:)`` takes it.
    /// - Returns: false for an entry of another kind, of which nothing is written.
    mutating func write(_ index: Int, subdirectories: Int, to output: inout [UInt8]) -> Bool {
        let place = Int(entries.records[index].aspect)
        if fields[place].before.isEmpty { prepare(place) }
        if fields[place].before.isEmpty { return false }
        let kind = entries.aspects[place].kind
        let space = UInt8(ascii: " ")
        entries.withParts(index) { directory, name in
            DumpField.escapeRaw(directory, to: &output)
            output.append(UInt8(ascii: "/"))
            DumpField.escapeRaw(name, to: &output)
        }
        output.append(space)
        DumpNumber.write(kind == .directory ? 0 : entries.records[index].size, to: &output)
        output.append(contentsOf: fields[place].before)
        DumpNumber.write(UInt64(kind == .directory ? 2 + subdirectories : 1), to: &output)
        output.append(contentsOf: fields[place].behind)
        DumpNumber.write(entries.records[index].seconds, to: &output)
        output.append(UInt8(ascii: "."))
        DumpNumber.write(UInt64(entries.records[index].nanoseconds), to: &output)
        output.append(space)
        switch kind {
        case .file where entries.records[index].size > 0: BlobPath.append(entries.records[index].digest, to: &output)
        case .symlink: entries.withTarget(index) { DumpField.escape($0, to: &output) }
        default: output.append(UInt8(ascii: "-"))
        }
        output.append(contentsOf: Self.end)
        return true
    }

    private static let end = Array(" - -\n".utf8)

    /// Writes the fields of an aspect, unless it is one of entries that are left to ``DumpLine``.
    private mutating func prepare(_ place: Int) {
        let aspect = entries.aspects[place]
        guard aspect.extendedAttributes.isEmpty else { return }
        let type: UInt64
        switch aspect.kind {
        case .directory: type = 0o040000
        case .file: type = 0o100000
        case .symlink: type = 0o120000
        default: return
        }
        var (before, behind) = ([UInt8(ascii: " ")], [UInt8(ascii: " ")])
        DumpNumber.write(type | UInt64(aspect.mode), radix: 8, to: &before)
        before.append(UInt8(ascii: " "))
        for number in [UInt64(aspect.uid), UInt64(aspect.gid), 0] {
            DumpNumber.write(number, to: &behind)
            behind.append(UInt8(ascii: " "))
        }
        fields[place] = (before, behind)
    }
}
