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
                others = EightBytes.notPlain(word)
            } else {
                if line[index] == UInt8(ascii: "/") { slashes = 0x80 }
                if !EightBytes.isPlain(line[index]) { others = 0x80 }
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
        while position < line.count, EightBytes.isPlain(line[position]) { position += 1 }
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
