import Bytes
import Tar
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

/// Archives that try to lead out of the root, or to make something that nobody meant.
@Suite struct ArchiveAttackTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var members: @Sendable () -> [Member]

        init(_ name: String, _ members: @escaping @autoclosure @Sendable () -> [Member]) {
            (testDescription, self.members) = (name, members)
        }
    }

    static let refused: [Attack] = [
        Attack("trav-name", [.file("../canary", "x")]), Attack("trav-middle", [.file("a/../../canary", "x")]),
        Attack("trav-end", [.directory("a/..")]), Attack("trav-deep", [.file("a/b/../../../canary", "x")]),
        Attack("trav-abs", [.file("/../canary", "x")]), Attack("trav-link", [.hardLink("a", "../canary")]),
        Attack("name-empty", [.file("", "x")]), Attack("name-dot-symlink", [.link(".", "/etc")]),
        Attack("name-slash-symlink", [.link("/", "/etc")]), Attack("name-dot-file", [.file(".", "x")]),
        Attack("name-300", [.file(ByteString(String(repeating: "n", count: 300)))]),
        Attack(
            "name-path-max",
            [.file(ByteString((0..<50).map { _ in String(repeating: "n", count: 99) }.joined(separator: "/")))]),
        Attack("target-path-max", [.link("a", ByteString(String(repeating: "t", count: 5000)))]),
        Attack("sym-loop", [.link("a", "b"), .link("b", "a"), .file("a/f", "x")]),
        Attack("sym-to-file", [.file("f"), .link("a", "f"), .file("a/g", "x")]),
        Attack("hard-self", [.hardLink("a", "a")]), Attack("hard-forward", [.hardLink("a", "b"), .file("b")]),
        Attack("hard-dir", [.directory("d"), .hardLink("a", "d")]), Attack("hard-abs", [.hardLink("a", "/etc/passwd")]),
        Attack("hard-missing", [.hardLink("a", "b")]), Attack("hard-root", [.hardLink("a", "/")]),
        Attack("hard-through-sym", [.link("a", "/etc"), .hardLink("b", "a/passwd")]),
        Attack("wh-bare", [.file(".wh.")]), Attack("wh-dot", [.file(".wh..")]), Attack("wh-dotdot", [.file(".wh...")]),
        Attack("wh-bare-sub", [.file("a/.wh.")]), Attack("wh-dot-sub", [.file("a/.wh..")]),
        Attack("wh-dotdot-sub", [.file("a/.wh...")]),
        Attack("wh-parent", [.file(".wh.a/b")]), Attack("wh-trav", [.file("../.wh.canary")]),
        Attack("wh-device", [Member(name: "gone", kind: .characterDevice(major: 0, minor: 0))]),
        Attack(
            "xattr-opaque",
            [Member(name: "d", kind: .directory, attributes: [.init(name: "trusted.overlay.opaque", value: "y")])]),
        Attack(
            "xattr-user",
            [Member(name: "d", kind: .directory, attributes: [.init(name: "user.overlay.whiteout", value: "y")])]),
        Attack("file-as-parent", [.file("a"), .file("a/b", "x")]),
        Attack("type-unknown", [Member(name: "placeholder", kind: .file(size: 0)), .file("../x")]),
        Attack(
            "replace-often",
            (0..<1_100).flatMap { _ in [Member.file("d/f"), Member.link("d", "e"), Member.directory("d")] }),
    ]

    @Test("refused, and nothing is left", arguments: refused) func refusals(attack: Attack) throws {
        let fixture = try ImportFixture()
        #expect(throws: (any Error).self) { try fixture.importTar(Member.tar(attack.members())) }
        try fixture.expectSound()
        // The same as a layer of an image.
        var layout = try LayoutBuilder(fixture.kit.directory)
        try layout.layer(attack.members())
        try layout.finish()
        #expect(throws: (any Error).self) { try fixture.importLayout() }
        try fixture.expectSound()
    }

    @Test(
        "contained: what goes through links lands inside the root",
        arguments: [
            (Attack("sym-abs-write", [.link("a", "/etc"), .file("a/f", "x")]), ["/a -> /etc", "/etc/", "/etc/f: x"]),
            (
                Attack("sym-rel-write", [.link("a", "../../../etc"), .file("a/f", "x")]),
                ["/a -> ../../../etc", "/etc/", "/etc/f: x"]
            ),
            (
                Attack("sym-chain", [.link("a", "b"), .link("b", "c/d"), .link("c", "/e"), .file("a/f", "x")]),
                ["/a -> b", "/b -> c/d", "/c -> /e", "/e/", "/e/d/", "/e/d/f: x"]
            ),
            (
                Attack("sym-dir-replace", [.directory("a"), .file("a/old"), .link("a", "/etc"), .file("a/f", "x")]),
                ["/a -> /etc", "/etc/", "/etc/f: x"]
            ),
            (
                Attack("sym-back", [.link("a", "/etc"), .directory("a"), .file("a/f", "x")]), ["/a/", "/a/f: x"]
            ),
            (Attack("sym-override-file", [.link("a", "/canary"), .file("a", "x")]), ["/a: x"]),
            (Attack("abs", [.file("/a/f", "x")]), ["/a/", "/a/f: x"]),
            (Attack("dots", [.file("./a/./f", "x")]), ["/a/", "/a/f: x"]),
            (
                Attack("hard-to-sym", [.link("l", "/etc/passwd"), .hardLink("a", "l"), .file("a", "x")]),
                ["/a: x", "/l -> /etc/passwd"]
            ),
            (
                Attack("hard-chain", [.file("a", "x"), .hardLink("b", "a"), .hardLink("c", "./b")]),
                ["/a: x", "/b: x", "/c: x"]
            ),
            (Attack("dup-file", [.file("a", "x"), .file("a", "y")]), ["/a: y"]),
            (Attack("dup-type", [.directory("a"), .file("a/b", "x"), .file("a", "y")]), ["/a: y"]),
            (Attack("dup-implicit", [.file("a/b/c", "x"), .file("a", "y")]), ["/a: y"]),
            (Attack("dup-back", [.file("a", "y"), .directory("a"), .file("a/b", "x")]), ["/a/", "/a/b: x"]),
            (
                Attack(
                    "aufs-meta",
                    [.file(".wh..wh.aufs"), .directory(".wh..wh.plnk"), .file(".wh..wh.plnk/x"), .file("a", "x")]),
                ["/a: x"]
            ),
            (Attack("wh-same-layer", [.file("a", "x"), .file(".wh.a")]), ["/a: x"]),
            (Attack("wh-opq-late", [.file("d/a", "x"), .file("d/.wh..wh..opq")]), ["/d/", "/d/a: x"]),
            (Attack("dir-after-ro", [.directory("d", mode: 0o500), .file("d/a", "x")]), ["/d/", "/d/a: x"]),
            (
                Attack(
                    "names",
                    [
                        .file(ByteString([0x6e, 0xff])), .file("\u{e9}"), .file("e\u{301}"), .file("A\u{1b}[1m"),
                        .file("a"),
                    ]),
                [#"/A\x1b[1m: "#, "/a: ", "/e\u{301}: ", #"/n\xff: "#, "/\u{e9}: "]
            ),
            (
                Attack(
                    "dev",
                    [
                        Member(name: "dev/sda", kind: .blockDevice(major: 8, minor: 0)),
                        Member(name: "fifo", kind: .fifo),
                    ]),
                ["/dev/", "/dev/sda block-device", "/fifo fifo"]
            ),
        ])
    func contained(attack: Attack, expected: [String]) throws {
        let fixture = try ImportFixture()
        try fixture.importTar(Member.tar(attack.members()))
        #expect(try fixture.listing() == expected)
        let summary = try Materialize(fixture.kit.workspace).run(fixture.tree(), at: fixture.kit.path("root"))
        #expect(summary.skippedDevices == (attack.testDescription == "dev" ? 1 : 0))
        try fixture.expectSound(names: ["imported"])
        if isRoot, attack.testDescription == "dev" {
            let made = try Materialize(fixture.kit.workspace, makesDevices: true).run(
                fixture.tree(), at: fixture.kit.path("devices"))
            #expect(made.skippedDevices == 0)
        }
    }

    @Test("the same content with and without setuid is stored once, and never linked with it") func setuid() throws {
        let fixture = try ImportFixture()
        try fixture.importTar(Member.tar([.file("a", "x", mode: 0o4755), .file("b", "x", mode: 0o755)]))
        let summary = try Materialize(fixture.kit.workspace).run(fixture.tree(), at: fixture.kit.path("root"))
        #expect(summary.neverShared == 1 && summary.linked == 1)
        #expect(try fixture.tree()["/a"]?.metadata.mode == 0o4755)
        try fixture.expectSound(names: ["imported"])
    }

    @Test(
        "holes that stand for more than a tar may become are refused",
        arguments: ["gnu-sparse-big.tar", "pax-sparse-big.tar"])
    func sparseBombs(name: String) throws {
        try #require(Corpus.isPresent("go-tar"), "no corpus")
        let fixture = try ImportFixture()
        #expect(throws: (any Error).self) { try fixture.importTar(Corpus.file("go-tar", name)) }
        try fixture.expectSound()
    }

    @Test("an archive cut anywhere commits nothing") func truncation() throws {
        let fixture = try ImportFixture()
        let tar = try Member.tar([.directory("d"), .file("d/a", String(repeating: "x", count: 700)), .link("l", "d")])
        for count in stride(from: 1, to: tar.count - 1024, by: 97) where count % 512 != 0 {
            #expect(throws: (any Error).self) { try fixture.importTar(Array(tar[..<count])) }
        }
        try fixture.expectSound()
    }
}

extension Tree {
    fileprivate subscript(path: String) -> Entry? { (try? TreePath(ByteString(path))).flatMap { self[$0] } }
}
