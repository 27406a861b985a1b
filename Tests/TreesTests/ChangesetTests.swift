import Bytes
import Digests
import TestSupport
import Testing

@testable import Trees

/// What a layer removes from those below it.
struct ChangesetTests {
    static func path(_ text: String) -> TreePath { (try? TreePath(ByteString(text))) ?? .root }

    static func entry(_ path: TreePath, isDirectory: Bool) -> Entry {
        Entry(
            path: path, metadata: Metadata(mode: 0o755),
            kind: isDirectory ? .directory : .file(digest: .empty, size: 0))
    }

    /// Directories three deep with names of one letter, and files in them; closed under parents.
    static func randomMap(_ generator: inout SeededGenerator) -> PathMap<Entry> {
        var map = PathMap<Entry>()
        map.set(.root, entry(.root, isDirectory: true))
        for _ in 0..<Int.random(in: 0...60, using: &generator) {
            var place = TreePath.root
            for depth in 0..<Int.random(in: 1...4, using: &generator) {
                guard map[place]?.isDirectory == true else { break }
                place = place.appending(ByteString(["a", "b", "c"].randomElement(using: &generator) ?? "a"))
                if map[place] == nil {
                    map.set(place, entry(place, isDirectory: depth < 3 && Bool.random(using: &generator)))
                }
            }
        }
        return map
    }

    static func randomChangeset(of map: PathMap<Entry>, _ generator: inout SeededGenerator) -> Changeset {
        var changeset = Changeset()
        let paths = map.values.keys.sorted().filter { !$0.isRoot } + [path("/none/x"), path("/a/none")]
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            let chosen = paths.randomElement(using: &generator) ?? .root
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: changeset.remove(chosen)
            case 1: changeset.makeOpaque(chosen.parent)
            case 2: changeset.makeOpaque(chosen)
            default: changeset.add(entry(chosen, isDirectory: Bool.random(using: &generator)))
            }
        }
        return changeset
    }

    @Test("what is hidden is what is not shown, each path once, directories first, and the map stays one") func hiding()
    {
        var generator = SeededGenerator(seed: 11)
        var hidden = 0
        for _ in 0..<500 {
            var map = Self.randomMap(&generator)
            // Layer upon layer, so that the map goes on being changed after something was removed.
            for _ in 0..<3 {
                let changeset = Self.randomChangeset(of: map, &generator)
                let before = map.values
                var gone: [TreePath] = []
                changeset.hide(in: &map, isDirectory: \.isDirectory) { gone.append($0) }
                let expected = before.keys.filter { !$0.isRoot && !changeset.shows($0) }
                #expect(Set(gone) == Set(expected) && gone.count == expected.count)
                #expect(map.values == before.filter { $0.key.isRoot || changeset.shows($0.key) })
                var seen: Set<TreePath> = []
                // None comes after something that lay in it.
                let isOrdered = gone.allSatisfy { path in
                    defer { seen.insert(path) }
                    return !seen.contains { $0 != path && $0.isWithin(path) }
                }
                #expect(isOrdered)
                for path in changeset.entries.keys.sorted() where map[path.parent]?.isDirectory == true {
                    if let entry = changeset.entries[path] { map.set(path, entry) }
                }
                hidden += gone.count
            }
        }
        #expect(hidden > 1_000)
    }

    @Test("127 layers with a thousand whiteouts each look at what they remove, and at nothing else") func linear() {
        let (layers, count) = (127, 1_000)
        var map = PathMap<Entry>()
        map.set(.root, Self.entry(.root, isDirectory: true))
        for layer in 0..<layers {
            let directory = Self.path("/d\(layer)")
            map.set(directory, Self.entry(directory, isDirectory: true))
            for file in 0..<count {
                let path = directory.appending(ByteString("f\(file)"))
                map.set(path, Self.entry(path, isDirectory: false))
            }
        }
        var (looked, removed) = (0, 0)
        for layer in 0..<layers {
            var changeset = Changeset()
            for file in 0..<count { changeset.remove(Self.path("/d\(layer)/f\(file)")) }
            for file in 0..<count { changeset.remove(Self.path("/d\(layer)/none\(file)")) }
            looked += changeset.hide(in: &map, isDirectory: \.isDirectory) { _ in removed += 1 }
        }
        #expect(removed == layers * count && looked == removed)
        #expect(map.values.count == 1 + layers)
    }

    @Test("a stack of layers that each remove a directory is composed without a look at the others") func stack() throws
    {
        for policy in [ConflictPolicy.error, .overlay] {
            let lower = try tree("f /a/x 1", "f /a/y 2", "f /b/z 3", "f /c 4")
            let upper = try tree("w /a", "f /b/n 5")
            let composition = try Composition(
                [.init(name: "lower", tree: lower), .init(name: "upper", tree: upper)], onConflict: policy)
            #expect(paths(composition.tree.entries) == ["/", "/b", "/b/n", "/b/z", "/c"])
            #expect(paths(composition.contributions[1].entries).filter { $0 != "/b" } == ["/a", "/b/n"])
        }
    }

    @Test("what takes the place of a directory needs no whiteouts for what was in it") func replaced() throws {
        let lower = try tree("f /a/x 1", "f /a/y/z 2")
        let composition = try Composition(
            [.init(name: "lower", tree: lower), .init(name: "upper", tree: tree("f /a file"))], onConflict: .overlay)
        #expect(composition.contributions[1].entries.map(\.path.description) == ["/a"])
        #expect(paths(composition.tree.entries) == ["/", "/a"])
    }

    @Test("a directory that is removed and made again names what of the old one is not in it") func remade() throws {
        let lower = try tree("f /a/x 1", "f /a/y/z 2", "f /a/k 3")
        var changed = Array(try tree("f /a/k 4", "f /a/n 5").entries)
        let marker = TreePath.root.appending("a").appending(Entry.opaqueMarker)
        changed.append(Entry(path: marker, metadata: Metadata(mode: 0), kind: .whiteout))
        let composition = try Composition(
            [.init(name: "lower", tree: lower), .init(name: "upper", tree: Tree(changed))], onConflict: .overlay)
        let added = composition.contributions[1].entries
        #expect(added.filter { $0.kind == .whiteout }.map(\.path.description) == ["/a/x", "/a/y"])
        #expect(paths(composition.tree.entries) == ["/", "/a", "/a/k", "/a/n"])
    }

    @Test("a conflict inside one layer names both places; one through a link names each layer's") func messages() throws
    {
        let lower = try tree("d /usr/lib", "l /lib usr/lib")
        let merged = try tree("f /lib/x one", "f /usr/lib/x two")
        #expect {
            try Composition([.init(name: "base", tree: lower), .init(name: "odd", tree: merged)])
        } throws: { error in
            "\(error)".contains("/usr/lib/x: odd has different content at /lib/x and /usr/lib/x, which are one place")
        }
        #expect {
            try Composition([
                .init(name: "base", tree: lower), .init(name: "a", tree: tree("f /usr/lib/x one")),
                .init(name: "b", tree: tree("f /lib/x two")),
            ])
        } throws: { error in
            "\(error)".contains("/usr/lib/x: a (at /usr/lib/x) and b (at /lib/x) have different content")
        }
        #expect {
            try Composition([.init(name: "a", tree: tree("f /x one")), .init(name: "b", tree: tree("f /x two"))])
        } throws: { error in
            "\(error)".contains("  /x: a and b have different content")
        }
    }
}
