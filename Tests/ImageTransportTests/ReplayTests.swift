import Bytes
import Digests
import Tar
import Testing
import Trees

@testable import ImageTransport

@Suite struct ReplayTests {
    typealias Layer = [(name: ByteString, kind: TarHeader.Kind)]

    static func paths(_ layers: [Layer]) throws -> [String] {
        var replay = LayerReplay()
        for layer in layers {
            for (name, kind) in layer {
                try replay.add(TarHeader(name: name, kind: kind, mode: 0o755), digest: .empty)
            }
            try replay.endLayer()
        }
        return replay.entries.keys.sorted().map(\.description)
    }

    static let base: Layer = [
        ("a", .directory), ("a/b", .directory), ("a/b/c", .file(size: 0)), ("a/d", .file(size: 0)),
        ("ab", .file(size: 0)),
    ]

    @Test(
        "whiteouts, opaque directories and replacements (image-spec, layer.md)",
        arguments: [
            ([("a/.wh.b", .file(size: 0))], ["/a", "/a/d", "/ab"]),
            ([(".wh.a", .file(size: 0))], ["/ab"]),
            ([("a/.wh..wh..opq", .file(size: 0))], ["/a", "/ab"]),
            // An opaque directory hides only what is below, wherever in the layer it stands.
            ([("a/n", .file(size: 0)), ("a/.wh..wh..opq", .file(size: 0))], ["/a", "/a/n", "/ab"]),
            // A whiteout does not reach into its own layer.
            (
                [("a/b", .directory), ("a/b/n", .fifo), ("a/.wh.b", .file(size: 0))],
                ["/a", "/a/b", "/a/b/n", "/a/d", "/ab"]
            ),
            ([("a", .symlink(target: "ab"))], ["/a", "/ab"]),
            ([("a", .directory)], ["/a", "/a/b", "/a/b/c", "/a/d", "/ab"]),
            ([("ab", .directory), ("ab/x", .fifo)], ["/a", "/a/b", "/a/b/c", "/a/d", "/ab", "/ab/x"]),
            ([("./x", .hardLink(target: "a/d"))], ["/a", "/a/b", "/a/b/c", "/a/d", "/ab", "/x"]),
            ([("/x", .hardLink(target: "/ab"))], ["/a", "/a/b", "/a/b/c", "/a/d", "/ab", "/x"]),
        ] as [(Layer, [String])])
    func changes(layer: Layer, expected: [String]) throws {
        #expect(try Self.paths([Self.base, layer]) == expected)
    }

    @Test(
        "a layer whose entries are known is applied as its members are",
        arguments: [
            ["/a d", "/a/b -"], ["/a d", "/a/b d", "/a/b/c -", "/d -"],
            // Not in order, not closed under parents, and with the root itself.
            ["/z -", "/a d", "/a/b -"], ["/a/b -"], ["/ d", "/a d", "/a/b -"],
            ["/a d", "/a/b w", "/a/c -"], ["/a d", "/a/.wh..wh..opq w", "/a/c -"], [],
        ], [[], ["/a d", "/a/b d", "/a/b/old -", "/a/old -"]])
    func knownLayers(layer: [String], lower: [String]) throws {
        var (whole, single) = (LayerReplay(), LayerReplay())
        for layer in [lower, layer] {
            let entries = try layer.map { text in
                let parts = text.split(separator: " ")
                let kinds: [Substring: Entry.Kind] = [
                    "d": .directory, "-": .file(digest: .empty, size: 0), "w": .whiteout,
                ]
                return Entry(
                    path: try TreePath(ByteString(String(parts[0]))), metadata: Metadata(mode: 0o700),
                    kind: try #require(kinds[parts[1]]))
            }
            try whole.add(layer: entries)
            for entry in entries { single.add(entry) }
            try single.endLayer()
        }
        #expect(whole.entries == single.entries)
        // Whatever comes on top finds it.
        for replay in [whole, single] {
            var replay = replay
            try replay.add(TarHeader(name: ".wh.a", kind: .file(size: 0), mode: 0), digest: .empty)
            try replay.endLayer()
            #expect(!replay.entries.keys.contains { $0.isWithin(TreePath.root.appending("a")) })
        }
    }

    @Test(
        "members that make no sense in a layer are refused",
        arguments: [
            ("../x", .fifo), ("a/../../x", .fifo), (".", .symlink(target: "x")), ("/", .file(size: 0)),
            (".wh.", .file(size: 0)),
            (".wh...", .file(size: 0)), (".wh..", .file(size: 0)),
            ("x", .hardLink(target: "nowhere")), ("x", .hardLink(target: "x")),
            ("x", .hardLink(target: "a")), ("x", .hardLink(target: "../ab")), ("x", .other(typeflag: 0x39, size: 0)),
        ] as [(ByteString, TarHeader.Kind)])
    func refused(name: ByteString, kind: TarHeader.Kind) {
        #expect(throws: TransportError.self) { try Self.paths([Self.base, [(name, kind)]]) }
    }
}
