import Bytes
import Digests
import Testing

@testable import Trees

/// A tree from lines such as `d /usr`, `f /usr/a text`, `l /lib usr/lib`, `w /gone`; parents are added.
func tree(_ lines: String..., mode: UInt16 = 0o644) throws -> Tree {
    var entries: [TreePath: Entry] = [:]
    for line in ["d /"] + lines {
        let words = line.split(separator: " ").map(String.init)
        let path = try TreePath(ByteString(words[1]))
        let (kind, permissions): (Entry.Kind, UInt16) =
            switch words[0] {
            case "d": (.directory, 0o755)
            case "l": (.symlink(target: ByteString(words[2])), 0o777)
            case "w": (.whiteout, 0)
            default: (.file(digest: Digest(hashing: Array(words[2].utf8)), size: UInt64(words[2].utf8.count)), mode)
            }
        entries[path] = Entry(path: path, metadata: Metadata(mode: permissions), kind: kind)
        var parent = path.parent
        while entries[parent] == nil {
            entries[parent] = Entry(path: parent, metadata: Metadata(mode: 0o755), kind: .directory)
            parent = parent.parent
        }
    }
    return try Tree(entries.values)
}

func paths(_ entries: Tree.Entries) -> [String] { entries.map(\.path.description) }

struct CompositionTests {
    @Test(arguments: [(0o755, 0), (0o755, 7), (0o700, 7)] as [(UInt16, Int64)])
    func aLayerAloneIsAsItIsOverNothing(mode: UInt16, seconds: Int64) throws {
        var entries = Array(try tree("d /usr", "f /usr/a text", "l /lib usr/lib", "w /gone").entries)
        entries[0].metadata = Metadata(mode: mode, modified: Timestamp(seconds: seconds))
        for entries in [entries, entries.filter { $0.kind != .whiteout }] {
            let layer = Composition.Layer(name: "a", tree: try Tree(entries))
            for policy in ConflictPolicy.allCases {
                let alone = try Composition([layer], onConflict: policy)
                let over = try Composition([.init(name: "", tree: .empty), layer], onConflict: policy)
                #expect(alone.tree == over.tree)
                #expect(alone.contributions == Array(over.contributions.dropFirst()))
                #expect(alone.complete == Array(over.complete.dropFirst()))
            }
        }
    }

    @Test func sharedFilesBelongToTheLowestLayer() throws {
        let composition = try Composition([
            .init(name: "a", tree: tree("f /usr/lib/libc c", "f /usr/bin/a a")),
            .init(name: "b", tree: tree("f /usr/lib/libc c", "f /usr/bin/b b")),
        ])
        #expect(
            paths(composition.tree.entries) == [
                "/", "/usr", "/usr/bin", "/usr/bin/a", "/usr/bin/b", "/usr/lib", "/usr/lib/libc",
            ])
        #expect(paths(composition.contributions[1].entries) == ["/usr", "/usr/bin", "/usr/bin/b"])
        #expect(
            paths(composition.complete[1].entries) == ["/usr", "/usr/bin", "/usr/bin/b", "/usr/lib", "/usr/lib/libc"])
    }

    @Test(
        "A path is followed to its end as the kernel follows it",
        arguments: [
            ("/a/f", "/a/f"), ("a//f/", "/a/f"), ("/l", "/a/f"), ("/l/", "/a/f"), ("/d", "/a"), ("/d/f", "/a/f"),
            ("/d/../up", "/a/f"), ("/a/..", "/"), ("/a/.", "/a"), ("/", "/"), ("", "/"), ("/loop", nil), ("/none", nil),
            ("/a/f/x", nil), ("/dangling", nil), ("/a/rel", "/a/f"), ("/a/clamped", "/a/f"),
        ] as [(String, String?)])
    func destinations(path: String, expected: String?) throws {
        let tree = try tree(
            "f /a/f text", "l /l /a/f", "l /d a", "l /up d/f", "l /loop loop", "l /dangling a/none", "l /a/rel ../l",
            "l /a/clamped ../../../a/f")
        #expect(tree.destination(of: ByteString(path))?.path.description == expected)
    }

    @Test(arguments: ConflictPolicy.allCases)
    func aCompletingLayerReplacesWhateverThePolicyIs(policy: ConflictPolicy) throws {
        let composition = try Composition(
            [.init(name: "a", tree: tree("f /etc/cache old", "f /etc/x x"))], onConflict: policy,
            completedBy: .init(name: "cache", tree: tree("f /etc/cache new")))
        #expect(composition.settled.isEmpty)
        #expect(composition.contributions.map(\.name) == ["a", "cache"])
        #expect(paths(composition.contributions[1].entries) == ["/etc", "/etc/cache"])
        #expect(
            composition.tree.destination(of: "/etc/cache")?.kind
                == .file(digest: Digest(hashing: Array("new".utf8)), size: 3))
    }

    @Test func aLayerThatBringsNothingContributesNothing() throws {
        let one = try tree("f /a x")
        let composition = try Composition([.init(name: "a", tree: one), .init(name: "b", tree: one)])
        #expect(composition.contributions[1].entries.isEmpty)
        #expect(composition.tree == one)
    }

    @Test func aDirectoryOverALinkToADirectoryFollowsTheLink() throws {
        let composition = try Composition([
            .init(name: "merged", tree: tree("l /lib usr/lib", "f /usr/lib/a a")),
            .init(name: "old", tree: tree("f /lib/deep/b b")),
        ])
        #expect(
            paths(composition.tree.entries) == [
                "/", "/lib", "/usr", "/usr/lib", "/usr/lib/a", "/usr/lib/deep", "/usr/lib/deep/b",
            ])
        #expect(
            paths(composition.contributions[1].entries) == ["/usr", "/usr/lib", "/usr/lib/deep", "/usr/lib/deep/b"])
    }

    @Test func aTimeAloneIsNoConflictAndCostsNothing() throws {
        let early = try tree("f /a x")
        let late = try Tree(
            early.entries.map { entry in
                var entry = entry
                entry.metadata.modified = Timestamp(seconds: 99)
                return entry
            })
        let composition = try Composition([.init(name: "a", tree: early), .init(name: "b", tree: late)])
        #expect(composition.tree == early)
        #expect(composition.contributions[1].entries.isEmpty)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var lower: Tree
        var upper: Tree
        var reason: Conflict.Reason
        var path: String
        var testDescription: String { reason.rawValue }
    }

    static func conflicting() throws -> [Case] {
        [
            Case(lower: try tree("f /a 1"), upper: try tree("f /a 2"), reason: .content, path: "/a"),
            Case(lower: try tree("l /a 1"), upper: try tree("l /a 2"), reason: .target, path: "/a"),
            Case(lower: try tree("f /a 1"), upper: try tree("f /a 1", mode: 0o600), reason: .metadata, path: "/a"),
            Case(lower: try tree("f /a 1"), upper: try tree("l /a 1"), reason: .kind, path: "/a"),
            Case(lower: try tree("f /a 1"), upper: try tree("f /a/b 1"), reason: .kind, path: "/a"),
            Case(
                lower: try tree("l /lib nowhere"), upper: try tree("f /lib/a 1"), reason: .directoryOverLink,
                path: "/lib"),
            Case(
                lower: try tree("l /lib lib"), upper: try tree("f /lib/a 1"), reason: .directoryOverLink, path: "/lib"),
            Case(
                lower: try tree("f /lib/a 1"), upper: try tree("l /lib usr/lib", "f /usr/lib/a 1"),
                reason: .linkOverDirectory, path: "/lib"),
        ]
    }

    @Test(arguments: try conflicting())
    func disagreeingLayersAreNamed(_ example: Case) throws {
        let layers = [Composition.Layer(name: "low", tree: example.lower), .init(name: "up", tree: example.upper)]
        let path = try TreePath(ByteString(example.path))
        let expected = Conflict(
            path: path, lower: "low", upper: "up", reason: example.reason, lowerPath: path, upperPath: path)
        #expect(throws: CompositionError.conflicts([expected])) { try Composition(layers) }

        let last = try Composition(layers, onConflict: .last)
        #expect(last.settled == [expected])
        for entry in example.upper.entries where entry.path.isWithin(expected.path) {
            #expect(last.tree[entry.path] == entry)
        }
        let first = try Composition(layers, onConflict: .first)
        for entry in example.lower.entries { #expect(first.tree[entry.path] == entry) }
        for settled in [last, first] {
            let again = try Composition(settled.surviving)
            #expect(again.tree == settled.tree)
        }
        // Whatever won, the result is a tree: closed under parents.
        _ = try Tree(last.tree.entries)
        _ = try Tree(first.tree.entries)
    }

    @Test func aWhiteoutRemovesFromBelowOnly() throws {
        let composition = try Composition([
            .init(name: "a", tree: tree("f /d/one 1", "f /d/two 2")),
            .init(name: "b", tree: tree("w /d", "f /kept 3")),
        ])
        #expect(paths(composition.tree.entries) == ["/", "/kept"])
        #expect(composition.contributions[1].entries.map(\.kind).contains(.whiteout))
    }
}
