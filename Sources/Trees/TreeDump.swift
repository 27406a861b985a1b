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
        let subdirectories = subdirectories(of: tree)
        var output: [UInt8] = []
        output.reserveCapacity(tree.entries.count * 160)
        for entry in tree.entries { line(entry, subdirectories).write(to: &output) }
        return output
    }

    /// Appends the line of `entry` by itself: what identifies it, whatever else its tree has. Of a directory it does not say how many
    /// others lie in it.
    public static func append(_ entry: Entry, to output: inout [UInt8]) {
        DumpLine(entry, subdirectories: 0).write(to: &output)
    }

    private static func line(_ entry: Entry, _ subdirectories: [TreePath: Int]) -> DumpLine {
        DumpLine(entry, subdirectories: entry.isDirectory ? subdirectories[entry.path] ?? 0 : 0)
    }

    /// How many directories lie directly in each of those that have any.
    private static func subdirectories(of tree: Tree) -> [TreePath: Int] {
        var subdirectories: [TreePath: Int] = [:]
        for entry in tree.entries where entry.isDirectory && !entry.path.isRoot {
            subdirectories[entry.path.parent, default: 0] += 1
        }
        return subdirectories
    }

    /// The tree that ``encode(_:)`` made `bytes` from.
    ///
    /// - Throws: ``TreeDumpError`` with the number of the line that is not as this program writes it.
    public static func decode(_ bytes: [UInt8]) throws(TreeDumpError) -> Tree {
        guard bytes.last == UInt8(ascii: "\n") else { throw .unterminated }
        let entries = try entries(bytes).get()
        let tree: Tree
        do { tree = try Tree(entries) } catch { throw .notATree(error) }
        // Numbers with leading zeros, unsorted lines, other escapes: readable, but not the canonical form whose digest
        // is the tree's identity.
        guard isDump(bytes, of: tree) else { throw .notCanonical }
        return tree
    }

    private static func entries(_ bytes: [UInt8]) -> Result<[Entry], TreeDumpError> {
        bytes.withUnsafeBufferPointer { text in
            var entries: [Entry] = []
            entries.reserveCapacity(text.reduce(0) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 })
            var start = 0
            while start < text.count {
                var end = start
                while text[end] != UInt8(ascii: "\n") { end += 1 }
                let line = UnsafeBufferPointer(rebasing: text[start..<end])
                guard let entry = DumpLine.parse(line) else {
                    return .failure(.malformedLine(entries.count + 1, ByteString(Array(line))))
                }
                entries.append(entry)
                start = end + 1
            }
            return .success(entries)
        }
    }

    /// Whether `bytes` is what ``encode(_:)`` makes of `tree`; line by line, so that there are not two dumps in memory.
    private static func isDump(_ bytes: [UInt8], of tree: Tree) -> Bool {
        let subdirectories = subdirectories(of: tree)
        var written: [UInt8] = []
        return bytes.withUnsafeBytes { text in
            var position = 0
            for entry in tree.entries {
                written.removeAll(keepingCapacity: true)
                line(entry, subdirectories).write(to: &written)
                guard text.count - position >= written.count,
                    written.withUnsafeBytes({ line in
                        text[position..<(position + line.count)].elementsEqual(line)
                    })
                else { return false }
                position += written.count
            }
            return position == text.count
        }
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
