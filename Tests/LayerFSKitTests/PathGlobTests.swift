import Bytes
import TestSupport
import Testing

@testable import LayerFSKit

struct PathGlobTests {
    @Test(
        arguments: [
            ("/usr/share/doc", "/usr/share/doc", true), ("/usr/share/doc", "/usr/share/doc/x", false),
            ("/usr/*/doc", "/usr/share/doc", true), ("/usr/*", "/usr/a/b", false), ("/usr/**", "/usr/a/b", true),
            ("/usr/**", "/usr", true), ("/usr/**/b", "/usr/b", true), ("/usr/**/b", "/usr/a/a/b", true),
            ("/usr/**/b", "/usr/ab", false), ("/**/a/**/b", "/x/a/y/a/z/b", true), ("/**/a/*/b", "/a/y/a/z/c/b", false),
            ("*.pyc", "/a/b/c.pyc", true), ("*.pyc", "/c.pyc", true), ("*.pyc", "/c.py", false),
            ("doc/*", "/usr/doc/x", true), ("doc/*", "/usr/mydoc/x", false), ("?", "/a/b", true), ("??", "/a/b", false),
            ("[a-c]x", "/bx", true), ("[!a-c]x", "/bx", false), ("[^a-c]x", "/zx", true), ("[]]", "/]", true),
            ("[a-]", "/-", true), ("\\*", "/*", true), ("\\*", "/a", false), ("a**b", "/axxb", true),
            ("a*b*c", "/abbcbc", true),
            ("*", "/.hidden", true), ("/usr//share/", "/usr/share", true),
        ] as [(String, String, Bool)])
    func aPatternIsOnePathsOrAnothers(_ pattern: String, _ path: String, _ expected: Bool) throws {
        #expect(try PathGlob(ByteString(pattern)).matches(TreePath(ByteString(path))) == expected)
    }

    @Test func aDirectoryCoversWhatLiesInIt() throws {
        let glob = try PathGlob("/usr/share/doc")
        #expect(try glob.covers(TreePath("/usr/share/doc/bash/README")))
        #expect(try !glob.covers(TreePath("/usr/share/docs")))
        #expect(!glob.covers(.root))
    }

    @Test func namesAreBytesNotText() throws {
        let name = ByteString("/caf" as String) + ByteString([0xe9])
        #expect(try PathGlob("caf?").matches(TreePath(name)))
        #expect(try PathGlob("caf" + ByteString([0x5b, 0xe0, 0x2d, 0xff, 0x5d])).matches(TreePath(name)))
        #expect(try !PathGlob("caf??").matches(TreePath(name)))
    }

    @Test(arguments: ["", "/", "//", "[a", "[", "[!", "a\\", "[z-a]", "[]"])
    func whatIsNoPatternIsRefused(_ text: String) {
        #expect(throws: LayerFSError.self) { try PathGlob(ByteString(text)) }
    }

    @Test func anyPatternEndsSoonAndNeverTraps() throws {
        let hostile = ByteString("/" + String(repeating: "**/a*", count: 40) + "b")
        #expect(try !PathGlob(hostile).matches(TreePath(ByteString("/" + String(repeating: "a/", count: 2000) + "c"))))
        var random = SeededGenerator(seed: 3)
        let alphabet = Array("/*?[]!-\\ab".utf8)
        for _ in 0..<fuzzRounds {
            let text = ByteString(
                (0..<Int.random(in: 0...12, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 })
            let path = ByteString([47] + (0..<8).map { _ in [47, 97, 98].randomElement(using: &random) ?? 97 })
            guard let glob = try? PathGlob(text) else { continue }
            _ = glob.covers(try TreePath(path))
        }
    }
}
