import Bytes

/// Reads a ``TreeDump`` that comes in pieces, of which none is kept.
public struct TreeDumpDecoder: Sendable {
    private var packed = PackedEntries()
    /// Of each directory, what its line says of the directories in it.
    private var subdirectories: [(index: Int, count: Int)] = []
    /// The beginning of a line whose end has not come yet.
    private var begun: [UInt8] = []
    /// The last line as this program writes it.
    private var written: [UInt8] = []
    /// Whether each line is as this program writes it. Numbers with leading zeros, unsorted lines, other escapes: readable, but not the
    /// canonical form whose digest is the tree's identity.
    private var isCanonical = true

    public init() {}

    /// Reads the next piece of the dump.
    ///
    /// - Throws: ``TreeDumpError/malformedLine(_:_:)``.
    public mutating func decode(_ piece: UnsafeRawBufferPointer) throws(TreeDumpError) {
        let text = piece.assumingMemoryBound(to: UInt8.self)
        var start = 0
        while let end = Self.newline(in: text, from: start) {
            let line = UnsafeBufferPointer(rebasing: text[start..<end])
            start = end + 1
            guard !begun.isEmpty else {
                try decode(line: line)
                continue
            }
            begun.append(contentsOf: line)
            var whole: [UInt8] = []
            swap(&whole, &begun)
            try whole.withUnsafeBufferPointer { (line) throws(TreeDumpError) in try decode(line: line) }
        }
        begun.append(contentsOf: text[start...])
    }

    /// Reads what comes next and was read already, by itself.
    ///
    /// - Throws: as ``decode(_:)``.
    public mutating func append(_ lines: TreeDumpLines) throws(TreeDumpError) {
        // Where a line is not whole, or is none, it matters what was before it.
        guard begun.isEmpty, let read = lines.read, read.begun.isEmpty else {
            // Typed throws do not pass through the rethrow of closures of the standard library.
            var fault: TreeDumpError?
            lines.text.withUnsafeBytes { text in
                do throws(TreeDumpError) { try decode(text) } catch { fault = error }
            }
            if let fault { throw fault }
            return
        }
        let start = packed.count
        packed.append(read.packed)
        subdirectories += read.subdirectories.map { ($0.index + start, $0.count) }
        isCanonical = isCanonical && read.isCanonical
    }

    /// Eight bytes at a time.
    private static func newline(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        let bytes = UnsafeRawBufferPointer(text)
        var index = start
        while index + 8 <= text.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let found = EightBytes.equal(word, UInt8(ascii: "\n"))
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < text.count {
            if text[index] == UInt8(ascii: "\n") { return index }
            index += 1
        }
        return nil
    }

    private mutating func decode(line: UnsafeBufferPointer<UInt8>) throws(TreeDumpError) {
        if let plain = PlainDumpLine(line) {
            if plain.kind == .directory { subdirectories.append((packed.count, plain.subdirectories)) }
            packed.append(plain)
        } else {
            try decode(other: line)
        }
    }

    /// Reads a line of any form.
    private mutating func decode(other line: UnsafeBufferPointer<UInt8>) throws(TreeDumpError) {
        guard let (entry, links) = DumpLine.parse(line) else {
            throw .malformedLine(packed.count + 1, ByteString(Array(line)))
        }
        var subdirectories = 0
        if entry.isDirectory {
            // How many there are is known at the end.
            subdirectories = links.map { max($0, 2) - 2 } ?? 0
            self.subdirectories.append((packed.count, subdirectories))
        }
        written.removeAll(keepingCapacity: true)
        DumpLine(entry, subdirectories: subdirectories).write(to: &written)
        written.removeLast()
        isCanonical =
            isCanonical
            && written.withUnsafeBytes { ByteComparison.areEqual($0, UnsafeRawBufferPointer(line)) }
        packed.append(entry)
    }

    /// The tree of what was read.
    ///
    /// - Throws: ``TreeDumpError`` when that is not the whole of a canonical dump.
    public consuming func finish() throws(TreeDumpError) -> Tree {
        guard begun.isEmpty, packed.count > 0 else { throw .unterminated }
        let read = Tree.Entries(packed)
        let order = read.order
        let tree: Tree
        do { tree = try Tree(order == .none ? read.sorted : read, in: order) } catch { throw .notATree(error) }
        guard isCanonical, order != .none else { throw .notCanonical }
        let counts = tree.entries.subdirectoryCounts
        guard subdirectories.allSatisfy({ counts[$0.index] == $0.count }) else { throw .notCanonical }
        return tree
    }
}
