import Bytes
import Digests
import Trees

/// A layer as programs bring it, made up: directories with a hundred entries each, small files that compress, some links. The same bytes on
/// every machine.
struct Sample: Sendable {
    static let count = 10_000

    /// ``count`` entries, the root among them.
    let tree: Tree
    /// Of the tree's files.
    private(set) var bytes: [Digest: [UInt8]] = [:]
    private(set) var contents = MemoryContents()

    /// What a layer consists of for whom packs it.
    var entries: Tree.Entries { tree.entries.dropFirst() }

    /// - Parameters:
    ///   - name: in all paths and contents but those that are shared.
    ///   - shared: how many entries, from the first, it has in common with samples of other names.
    init(_ name: String = "sample", shared: Int = 0) throws {
        var entries: [Entry] = []
        for path: ByteString in ["/", "/usr", "/usr/share"] {
            entries.append(Entry(path: try TreePath(path), metadata: Metadata(mode: 0o755), kind: .directory))
        }
        var directory = entries[2].path
        while entries.count < Self.count {
            let number = entries.count
            let owner = number < shared ? "shared" : name
            let kind: Entry.Kind
            if number % 100 == 3 {
                directory = try TreePath(ByteString("/usr/share/\(owner)-\(number)"))
                entries.append(Entry(path: directory, metadata: Self.metadata(0o755), kind: .directory))
                continue
            } else if number % 10 == 0 {
                kind = .symlink(target: ByteString("file-\(number - 1).\(owner)"))
            } else {
                let content = Self.content("\(owner) \(number)")
                let digest = contents.insert(content)
                bytes[digest] = content
                kind = .file(digest: digest, size: UInt64(content.count))
            }
            entries.append(
                Entry(
                    path: directory.appending(ByteString("file-\(number).\(owner)")), metadata: Self.metadata(0o644),
                    kind: kind))
        }
        tree = try Tree(entries)
    }

    private static func metadata(_ mode: UInt16) -> Metadata {
        Metadata(mode: mode, modified: Timestamp(seconds: 1_700_000_000))
    }

    private static let words = """
        the of and to in is that for it as was with be by on not this are or from an which program file library layer content
        name path directory version system linux kernel memory process error return value index entry digest
        """.split { $0 == " " || $0 == "\n" }.map { Array($0.utf8) + [0x20] }

    /// 64 bytes to 2 KiB of text that begins with `title`, so that no two are the same.
    private static func content(_ title: String) -> [UInt8] {
        var generator = SplitMix64(state: title.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
        let size = 64 + Int(generator.next() % 1985)
        var content = Array((title + "\n").utf8)
        while content.count < size { content += words[Int(generator.next() % UInt64(words.count))] }
        return Array(content.prefix(size))
    }
}

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (OOPSLA 2014).
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
