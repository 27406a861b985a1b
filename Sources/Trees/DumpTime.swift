import Bytes

/// The time that most lines of a dump have in common, and what stands for it where the dump is kept.
///
/// What came from a host has the time of its newest file where it is no file: of two trees that differ in that file alone every line
/// of a directory or link is another. With a mark in its place they are the same.
public struct DumpTime: Hashable, Sendable {
    /// As it stands in the dump.
    public let text: String
    private let field: [UInt8]

    /// No byte of a canonical dump, which escapes it.
    private static let mark: UInt8 = 1
    private static let space = UInt8(ascii: " ")
    private static let longest = 32
    private static let pieceSize = 1 << 16

    public init(_ time: Timestamp) {
        text = "\(time.seconds).\(time.nanoseconds)"
        field = [Self.space] + Array(text.utf8) + [Self.space]
    }

    /// nil for what is no time.
    public init?(text: String) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard !text.isEmpty, text.utf8.count <= Self.longest,
            text.utf8.allSatisfy({ digits.contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
        else { return nil }
        self.text = text
        field = [Self.space] + Array(text.utf8) + [Self.space]
    }

    /// Appends some whole lines of a dump to `output`, with the mark in place of each field that is this time.
    public func fold(_ lines: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        var (taken, position) = (0, 0)
        field.withUnsafeBytes { field in
            while position + field.count <= lines.count {
                guard lines[position] == Self.space,
                    ByteComparison.areEqual(
                        UnsafeRawBufferPointer(rebasing: lines[position..<(position + field.count)]), field)
                else {
                    position += 1
                    continue
                }
                output.append(contentsOf: UnsafeRawBufferPointer(rebasing: lines[taken...position]))
                output.append(Self.mark)
                // The space behind it may be the one before the next.
                position += field.count - 1
                taken = position
            }
        }
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: lines[taken...]))
    }

    /// Gives the text that was folded to `folded` to `body`, in pieces that are valid only meanwhile.
    public func unfold(
        _ folded: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) rethrows {
        var piece: [UInt8] = []
        piece.reserveCapacity(Self.pieceSize + 4096)
        var taken = 0
        while taken < folded.count {
            let mark = Self.mark(in: folded, from: taken)
            // Not all at once: of a damaged dump it may be all marks.
            let end = mark ?? folded.count
            piece.append(contentsOf: UnsafeRawBufferPointer(rebasing: folded[taken..<end]))
            if mark != nil { piece.append(contentsOf: field[1..<(field.count - 1)]) }
            taken = mark == nil ? end : end + 1
            if piece.count >= Self.pieceSize {
                try piece.withUnsafeBytes(body)
                piece.removeAll(keepingCapacity: true)
            }
        }
        if !piece.isEmpty { try piece.withUnsafeBytes(body) }
    }

    /// Where the next mark is, looked for eight bytes at a time.
    private static func mark(in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start
        while index + 8 <= text.count {
            let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let found = EightBytes.equal(word, mark)
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < text.count {
            if text[index] == mark { return index }
            index += 1
        }
        return nil
    }
}
