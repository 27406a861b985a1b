public import Bytes
import Digests

/// The text form of a tree: composefs-dump(5), one line per entry.
///
/// A line has eleven fields, `PATH SIZE MODE NLINK UID GID RDEV MTIME PAYLOAD CONTENT DIGEST`, then `NAME=VALUE` for each
/// extended attribute. PAYLOAD of a regular file is where its blob lies below `blobs/sha256`; CONTENT and DIGEST (the
/// fs-verity digest) are never set by layerfs. A whiteout is a character device 0:0, as overlayfs has it. The form is
/// canonical: a tree has one dump, and ``decode(_:)`` takes no other.
public enum TreeDump {
    /// The dump of `tree`, a newline after every line.
    public static func encode(_ tree: Tree) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(tree.entries.count * 160)
        encode(tree) { output.append(contentsOf: $0) }
        return output
    }

    /// Gives the dump of `tree` to `body` in pieces of some whole lines, which are valid only meanwhile.
    public static func encode(_ tree: Tree, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        let parts = Parts(tree)
        var piece: [UInt8] = []
        for part in 0..<parts.count {
            parts.encode(part, into: &piece)
            try piece.withUnsafeBytes(body)
            piece.removeAll(keepingCapacity: true)
        }
    }

    /// The parts of a dump, which several threads may write at a time. One after the other they are the dump.
    public struct Parts: Sendable {
        private let entries: Tree.Entries
        private let subdirectories: [UInt32]
        /// How many entries are in one.
        private let size: Int

        public init(_ tree: Tree) {
            entries = tree.entries
            subdirectories = entries.subdirectoryCounts
            // Some 70 KiB of most dumps. Each begins by making room for all aspects.
            size = max(512, entries.packed.aspects.count)
        }

        public var count: Int { (entries.count + size - 1) / size }

        /// Appends the lines of the part `number`.
        public func encode(_ number: Int, into output: inout [UInt8]) {
            var lines = PlainDumpLines(entries.packed)
            let start = number * size
            for position in start..<min(start + size, entries.count) {
                let (index, links) = (entries.startIndex + position, Int(subdirectories[position]))
                let time = entries.modified(at: index)
                if !lines.write(index, subdirectories: links, time: time, to: &output) {
                    DumpLine(entries[index], subdirectories: links).write(to: &output)
                }
            }
        }
    }

    /// Appends the line of `entry` by itself: what identifies it, whatever else its tree has. Of a directory it does not say how many
    /// others lie in it.
    static func append(_ entry: Entry, to output: inout [UInt8]) {
        DumpLine(entry, subdirectories: 0).write(to: &output)
    }

    /// Gives such lines of all `entries` to `body`, in pieces of some whole lines, which are valid only meanwhile.
    ///
    /// - Parameter time: what stands for the time of an entry.
    public static func encode(
        eachOf entries: Tree.Entries, time: (Timestamp) -> Timestamp, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) rethrows {
        var piece: [UInt8] = []
        piece.reserveCapacity(pieceSize + 4096)
        var lines = PlainDumpLines(entries.packed)
        for index in entries.indices {
            let time = time(entries.modified(at: index))
            if !lines.write(index, subdirectories: 0, time: time, to: &piece) {
                var entry = entries[index]
                entry.metadata.modified = time
                append(entry, to: &piece)
            }
            if piece.count >= pieceSize {
                try piece.withUnsafeBytes(body)
                piece.removeAll(keepingCapacity: true)
            }
        }
        if !piece.isEmpty { try piece.withUnsafeBytes(body) }
    }

    private static let pieceSize = 1 << 16

    /// The tree that ``encode(_:)`` made `bytes` from.
    ///
    /// - Throws: ``TreeDumpError`` with the number of the line that is not as this program writes it.
    public static func decode(_ bytes: [UInt8]) throws(TreeDumpError) -> Tree {
        var decoder = TreeDumpDecoder()
        try bytes.withUnsafeBufferPointer { (bytes) throws(TreeDumpError) in
            try decoder.decode(UnsafeRawBufferPointer(bytes))
        }
        return try decoder.finish()
    }
}

/// Why bytes are not the dump of a tree.
public enum TreeDumpError: Error, Hashable, CustomStringConvertible {
    /// The last line has no newline: the text was cut.
    case unterminated
    /// The line with this number, counted from 1.
    case malformedLine(Int, ByteString)
    case notATree(TreeError)
    case notCanonical

    public var description: String {
        switch self {
        case .unterminated: "the tree is cut off: its last line has no newline"
        case .malformedLine(let number, let line): "line \(number) of the tree is malformed: \(line)"
        case .notATree(let error): "the tree is inconsistent: \(error)"
        case .notCanonical: "the tree is not in canonical form"
        }
    }
}
