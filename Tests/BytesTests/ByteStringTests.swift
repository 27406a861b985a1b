import Testing

@testable import Bytes

struct ByteStringTests {
    @Test func namesThatUnicodeCallsEqualStayTwo() {
        let composed = ByteString("\u{e9}")
        let decomposed = ByteString("e\u{301}")
        #expect("\u{e9}" == "e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
    }

    @Test(arguments: [
        ("bash", "bash"), ("grün", "grün"), ("a\nb", "a\\x0ab"), ("\u{1b}[2J", "\\x1b[2J"), ("a\\b", "a\\\\b"),
        ("\u{202e}x", "\\xe2\\x80\\xaex"),
    ])
    func whatCouldMoveATerminalIsEscaped(_ text: String, _ shown: String) {
        #expect(ByteString(text).description == shown)
    }

    @Test func invalidUTF8IsShownByteForByte() {
        #expect(ByteString([0x61, 0xff, 0xc3]).description == "a\\xff\\xc3")
    }

    @Test(arguments: [("", "a"), ("a", "b"), ("a", "aa"), ("/usr-x", "/usr/x"), ("z", "\u{e9}")])
    func orderIsThatOfTheBytes(_ smaller: String, _ larger: String) {
        #expect(ByteString(smaller) < ByteString(larger))
        #expect(!(ByteString(larger) < ByteString(smaller)))
    }
}

struct TreePathTests {
    @Test(arguments: [("/", "/"), ("//usr//bin/", "/usr/bin"), ("/./a/.", "/a"), ("/...", "/...")])
    func pathsAreNormalised(_ text: String, _ normal: String) throws {
        #expect(try TreePath(ByteString(text)).bytes == ByteString(normal))
    }

    @Test(
        arguments: [
            ("/", false, false, 0), ("/a", false, false, 1), ("/.wh.a", true, true, 5), ("/usr/.wh.", true, true, 4),
            ("/.wh.a/b", true, false, 5), ("/usr/.wh", false, false, 3), ("/usr/x.wh.a/longer", false, false, 6),
            ("/u/.w/.wh..wh..opq", true, true, 12), ("/u/.wh", false, false, 3),
        ] as [(ByteString, Bool, Bool, Int)])
    func namesAreLookedAtWithoutBeingMade(_ path: ByteString, _ any: Bool, _ last: Bool, _ longest: Int) throws {
        let path = try TreePath(path)
        #expect(path.hasComponent(withPrefix: ".wh.") == any)
        #expect(path.nameHasPrefix(".wh.") == last)
        #expect(path.longestComponent == longest)
        #expect(path.longestComponent == path.components.map(\.count).max() ?? 0)
    }

    @Test(arguments: ["", "usr", "./a", "/a/../b", "/..", "/a\u{0}b"])
    func theseAreNoTreePaths(_ text: String) {
        #expect(throws: TreePathError.self) { try TreePath(ByteString(text)) }
    }

    @Test func partsOfAPath() throws {
        let path = try TreePath("/usr/bin/ls")
        #expect(path.name == "ls")
        #expect(path.parent.bytes == "/usr/bin")
        #expect(path.relative == "usr/bin/ls")
        #expect(path.components == ["usr", "bin", "ls"])
        #expect(TreePath.root.parent == .root)
        #expect(TreePath.root.appending("a").bytes == "/a")
        #expect(path.isWithin(try TreePath("/usr")) && path.isWithin(.root))
        #expect(!path.isWithin(try TreePath("/us")))
    }

    @Test(
        "A reader finds what is somewhere among its bytes",
        arguments: [
            ("abcab", "ab", true), ("abcab", "cab", true), ("abcab", "abcab", true), ("abcab", "abcabc", false),
            ("aab", "ab", true), ("aaa", "b", false), ("", "a", false), ("a", "a", true),
        ])
    func readerContains(hay: String, needle: String, expected: Bool) {
        let padded = Array("x\(hay)x".utf8)
        #expect(ByteReader(padded[1..<(padded.count - 1)], order: .little).contains(Array(needle.utf8)) == expected)
    }
}
