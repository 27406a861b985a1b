import Bytes
import Digests
import Testing

@testable import Trees

struct TreeDumpTests {
    @Test func theLineOfAnEntryIsThatOfItsDump() throws {
        let root = Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)
        let file = Entry(
            path: try TreePath("/-"), metadata: Metadata(mode: 0o7777, uid: .max, gid: 8, modified: .init(seconds: -9)),
            kind: .file(digest: Digest(hashing: [1]), size: .max))
        var lines: [UInt8] = []
        for entry in [root, file] { TreeDump.append(entry, to: &lines) }
        #expect(try lines == TreeDump.encode(Tree([root, file])))
    }

    @Test func aDumpReadsAsComposefsWritesIt() throws {
        let digest = Digest(hashing: Array("hello".utf8))
        let tree = try Tree([
            Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory),
            Entry(
                path: try TreePath("/a b"),
                metadata: Metadata(
                    mode: 0o4755, uid: 1, gid: 2, modified: Timestamp(seconds: -3, nanoseconds: 4),
                    extendedAttributes: [ExtendedAttribute(name: "user.x", value: "=\u{0}")]),
                kind: .file(digest: digest, size: 5)),
            Entry(path: try TreePath("/empty"), metadata: Metadata(mode: 0), kind: .file(digest: .empty, size: 0)),
            Entry(path: try TreePath("/link"), metadata: Metadata(mode: 0o777), kind: .symlink(target: "-")),
            Entry(
                path: try TreePath("/null"), metadata: Metadata(mode: 0o666), kind: .characterDevice(major: 1, minor: 3)
            ),
            Entry(path: try TreePath("/gone"), metadata: Metadata(mode: 0), kind: .whiteout),
        ])
        let hex = digest.hexadecimal
        let expected = """
            / 0 40755 2 0 0 0 0.0 - - -
            /a\\x20b 5 104755 1 1 2 0 -3.4 \(hex.prefix(2))/\(hex.dropFirst(2)) - - user.x=\\x3d\\x00
            /empty 0 100000 1 0 0 0 0.0 - - -
            /gone 0 20000 1 0 0 0 0.0 - - -
            /link 1 120777 1 0 0 0 0.0 \\x2d - -
            /null 0 20666 1 0 0 259 0.0 - - -

            """
        let bytes = TreeDump.encode(tree)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        #expect(try TreeDump.decode(bytes) == tree)
    }

    static let malformed = [
        "", "/", "/ 0 40755 2 0 0 0 0.0 - - -", "/ 0 40755 2 0 0 0 0.0 - -\n", "x 0 40755 2 0 0 0 0.0 - - -\n",
        "/ 0 40755 3 0 0 0 0.0 - - -\n", "/ 00 40755 2 0 0 0 0.0 - - -\n", "/ 0 40755 2 0 0 0 0.1000000000 - - -\n",
        "/ 0 40755 2 99999999999 0 0 0.0 - - -\n", "/ 0 100644 2 0 0 0 0.0 - - -\n",
        "/ 0 40755 2 0 0 0 0.0 - - - noequals\n",
        "/ 0 40755 2 0 0 0 0.0 - - -\n/a/b 0 40755 2 0 0 0 0.0 - - -\n",
        "/ 0 40755 2 0 0 0 0.0 - - -\n/f 5 100644 1 0 0 0 0.0 ab/cd - -\n",
        "/ 0 40755 2 0 0 0 0.0 - - -\n/f\\x2 0 100644 1 0 0 0 0.0 - - -\n",
        "/ 0 40755 2 0 0 0 0.0 - - -\n/f\\x41 0 100644 1 0 0 0 0.0 - - -\n",
        "/ 0 40755 2 0 0 0 0.0 - - -\n/.. 0 100644 1 0 0 0 0.0 - - -\n",
    ]

    @Test(arguments: malformed)
    func whatIsNotTheCanonicalFormIsRefused(_ text: String) {
        #expect(throws: TreeDumpError.self) { try TreeDump.decode(Array(text.utf8)) }
    }

    /// What comes of a dump whose lines were read by themselves, as many bytes of text at a time.
    private static func pieced(_ dump: [UInt8], _ size: Int) -> Result<Tree, TreeDumpError> {
        Result { () throws(TreeDumpError) in
            var decoder = TreeDumpDecoder()
            for start in stride(from: 0, to: dump.count, by: size) {
                try decoder.append(TreeDumpLines(Array(dump[start..<min(start + size, dump.count)])))
            }
            return try decoder.finish()
        }
    }

    @Test(arguments: malformed)
    func whatIsReadInPiecesIsRefusedAlike(_ text: String) {
        let dump = Array(text.utf8)
        let whole = Result { () throws(TreeDumpError) in try TreeDump.decode(dump) }
        for size in [1, 7, 28, 1000] { #expect(Self.pieced(dump, size) == whole) }
    }

    @Test func damagedDumpsNeverTrapAndNeverPassForAnotherTree() throws {
        let original = TreeDump.encode(
            try Tree([
                Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory),
                Entry(
                    path: try TreePath("/f\u{7}"), metadata: Metadata(mode: 0o644),
                    kind: .file(digest: Digest(hashing: [1]), size: 1)),
                Entry(path: try TreePath("/l"), metadata: Metadata(mode: 0o777), kind: .symlink(target: "x=y")),
            ]))
        for position in original.indices {
            for byte: UInt8 in [0, 0x20, 0x2d, 0x2f, 0x30, 0x39, 0x5c, 0xff] {
                var damaged = original
                damaged[position] = byte
                let found = Result { () throws(TreeDumpError) in try TreeDump.decode(damaged) }
                if case .success(let tree) = found { #expect(TreeDump.encode(tree) == damaged) }
                #expect(Self.pieced(damaged, 28) == found)
            }
            _ = try? TreeDump.decode(Array(original[..<position]))
        }
    }
}
