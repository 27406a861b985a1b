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
        var subdirectories: [TreePath: Int] = [:]
        for entry in tree.entries where entry.isDirectory && !entry.path.isRoot {
            subdirectories[entry.path.parent, default: 0] += 1
        }
        var output: [UInt8] = []
        output.reserveCapacity(tree.entries.count * 128)
        for entry in tree.entries {
            DumpLine(entry, subdirectories: subdirectories[entry.path] ?? 0).write(to: &output)
        }
        return output
    }

    /// The tree that ``encode(_:)`` made `bytes` from.
    ///
    /// - Throws: ``TreeDumpError`` with the number of the line that is not as this program writes it.
    public static func decode(_ bytes: [UInt8]) throws(TreeDumpError) -> Tree {
        guard bytes.last == UInt8(ascii: "\n") else { throw .unterminated }
        var entries: [Entry] = []
        for (index, line) in bytes.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            guard let entry = DumpLine.parse(line) else { throw .malformedLine(index + 1, ByteString(line)) }
            entries.append(entry)
        }
        let tree: Tree
        do { tree = try Tree(entries) } catch { throw .notATree(error) }
        // Numbers with leading zeros, unsorted lines, other escapes: readable, but not the canonical form whose digest
        // is the tree's identity.
        guard encode(tree) == bytes else { throw .notCanonical }
        return tree
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
