import Bytes
import Digests
import TestSupport
import Testing

@testable import Trees

/// The packed list of entries, held against a plain array of them.
struct EntriesTests {
    static let attributes = [
        ExtendedAttribute(name: "user.a", value: "\u{0}=\n"), ExtendedAttribute(name: "user.b", value: ""),
    ]

    static let kinds: [Entry.Kind] = [
        .directory, .file(digest: .empty, size: 0), .file(digest: Digest(hashing: [1]), size: .max),
        .symlink(target: "-"), .symlink(target: "a/b c"), .symlink(target: ""), .characterDevice(major: .max, minor: 7),
        .blockDevice(major: 8, minor: .max), .fifo, .whiteout,
    ]

    @Test(arguments: kinds)
    func anEntryComesBackAsItWas(_ kind: Entry.Kind) throws {
        let metadata = [
            Metadata(mode: 0), Metadata(mode: 0o7777, uid: .max, gid: 1, modified: Timestamp(seconds: .min)),
            Metadata(
                mode: 0o4755, modified: Timestamp(seconds: .max, nanoseconds: 999_999_999),
                extendedAttributes: Self.attributes.reversed()),
        ]
        let names: [ByteString] = [
            "/", "/a", "/usr/lib/x", ByteString([0x2f, 0xff, 0xfe, 0x2f, 0x01]), ByteString([0x2f, 0x0a, 0x20, 0x5c]),
        ]
        for name in names {
            for metadata in metadata {
                let entry = Entry(path: try TreePath(name), metadata: metadata, kind: kind)
                let packed: Tree.Entries = [entry]
                #expect(Array(packed) == [entry])
                #expect(packed.path(at: 0) == entry.path && packed.kind(at: 0) == kind)
                #expect(packed.modified(at: 0) == metadata.modified)
                if case .file(let digest, let size) = kind {
                    #expect(packed.content(at: 0)?.digest == digest && packed.content(at: 0)?.size == size)
                } else {
                    #expect(packed.content(at: 0) == nil)
                }
            }
        }
    }

    /// Some entries with names that share beginnings, and lie before and behind the slash.
    static func random(_ count: Int, _ generator: inout SeededGenerator) -> [Entry] {
        let names: [ByteString] = [
            "a", "b", "ab", "a-b", "a.b", "a0", "aa", "abcdefgh", "abcdefghi", "abcdefgh-", ByteString([0xff]),
        ]
        return (0..<count).map { _ in
            var path = TreePath.root
            for _ in 0..<Int.random(in: 0...5, using: &generator) {
                path = path.appending(names.randomElement(using: &generator) ?? "a")
            }
            let metadata = Metadata(
                mode: [0o644, 0o755].randomElement(using: &generator) ?? 0, uid: .random(in: 0...2, using: &generator),
                modified: Timestamp(seconds: .random(in: -2...2, using: &generator)),
                extendedAttributes: Bool.random(using: &generator) ? [] : attributes)
            return Entry(path: path, metadata: metadata, kind: kind(&generator))
        }
    }

    private static func kind(_ generator: inout SeededGenerator) -> Entry.Kind {
        let number = UInt8.random(in: 0...40, using: &generator)
        let other = kinds.randomElement(using: &generator) ?? .fifo
        return number < 20 ? .file(digest: Digest(hashing: [number]), size: 1) : other
    }

    @Test(arguments: UInt64(0)..<20)
    func aListIsWhatAnArrayIs(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        // More than one piece of records.
        let model = Self.random(seed % 4 == 0 ? 3000 : 60, &generator)
        let packed = Tree.Entries(model)
        #expect(packed.count == model.count && packed.elementsEqual(model))
        #expect(packed.indices.allSatisfy { packed[$0] == model[$0] })
        #expect(packed.map(\.path).sorted() == Array(packed.sorted.map(\.path)))
        for (left, right) in zip(packed.indices, packed.indices.reversed()) {
            let order = packed.packed.compare(left, right)
            #expect((order < 0) == (model[left].path < model[right].path))
            #expect((order == 0) == (model[left].path == model[right].path))
        }
        #expect(packed.size == model.reduce(0) { $0 &+ $1.size })
        #expect(packed.contents.map(\.size) == model.map(\.size).filter { $0 > 0 })
        let distinct = packed.distinctContents.map(\.digest)
        #expect(distinct.count == Set(distinct).count)
        #expect(Set(distinct) == Set(packed.contents.map(\.digest)))
        #expect(packed.newest == model.map(\.metadata.modified).max())
        #expect(packed.haveWhiteouts == model.contains { $0.kind == .whiteout })
    }

    @Test func entriesOfOnePathKeepTheirOrder() throws {
        let first = Entry(path: try TreePath("/b"), metadata: Metadata(mode: 0), kind: .whiteout)
        let second = Entry(path: try TreePath("/b"), metadata: Metadata(mode: 1), kind: .fifo)
        let other = Entry(path: try TreePath("/a"), metadata: Metadata(mode: 1), kind: .fifo)
        let entries: Tree.Entries = [first, second, other]
        #expect(Array(entries.sorted) == [other, first, second])
    }

    @Test(arguments: UInt64(0)..<10)
    func partsAreListsOfTheirOwn(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let model = Self.random(50, &generator)
        let packed = Tree.Entries(model)
        let start = Int.random(in: 0...50, using: &generator)
        let range = start..<Int.random(in: start...50, using: &generator)
        var part = packed[range]
        #expect(Array(part) == Array(model[range]))
        // The same of another list is the same; so is what was built otherwise.
        let built = Tree.Entries(model[range])
        #expect(part == built && part.hashValue == built.hashValue)
        #expect(Array(packed.dropFirst()) == Array(model.dropFirst()))
        // What is added to a part does not appear in the whole, and the other way round.
        let added = Self.random(1, &generator)[0]
        part.append(added)
        #expect(Array(part) == Array(model[range]) + [added])
        #expect(Array(packed) == model)
        var longer = packed
        longer.append(added)
        #expect(longer.count == 51 && packed.count == 50 && longer.last == added)
        var replaced = packed
        replaced.replaceSubrange(range, with: [added])
        var expected = model
        expected.replaceSubrange(range, with: [added])
        #expect(Array(replaced) == expected)
    }

    @Test(arguments: UInt64(0)..<30)
    func listsAreEqualWhenTheirEntriesAre(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let model = Self.random(20, &generator)
        var other = model
        let place = Int.random(in: 0..<20, using: &generator)
        // Lists that were made in another order have other tables.
        #expect(Tree.Entries(model.reversed().reversed()) == Tree.Entries(model))
        other[place] = Self.random(1, &generator)[0]
        #expect((Tree.Entries(other) == Tree.Entries(model)) == (other == model))
        other = model
        other[place].metadata.modified.seconds += 1
        #expect(Tree.Entries(other) != Tree.Entries(model))
        // One by one, but for the time.
        let (left, right) = (Tree.Entries(Self.random(20, &generator)), Tree.Entries(other))
        for position in left.indices {
            var entry = right[position]
            entry.metadata.modified = left.modified(at: position)
            #expect(left.hasSame(at: position, as: right, at: position) == (left[position] == entry))
            #expect(right.hasSame(at: position, as: Tree.Entries(model), at: position))
        }
    }

    @Test func namesAndTargetsThatJoinToTheSameTextAreTold() throws {
        func link(_ path: ByteString, _ target: ByteString) throws -> Tree.Entries {
            [Entry(path: try TreePath(path), metadata: Metadata(mode: 0o777), kind: .symlink(target: target))]
        }
        #expect(try link("/ab", "c") != link("/a", "bc"))
        #expect(try link("/x/a", "b") != link("/y/a", "b"))
        #expect(try !link("/ab", "c").hasSame(at: 0, as: link("/a", "bc"), at: 0))
        #expect(try !link("/x/a", "b").hasSame(at: 0, as: link("/y/a", "b"), at: 0))
    }

    /// A tree of some thousand entries, in the order of its making.
    static func tree(_ seed: UInt64) -> (model: [TreePath: Entry], shuffled: [Entry]) {
        var generator = SeededGenerator(seed: seed)
        var model: [TreePath: Entry] = [:]
        for var entry in random(2000, &generator) {
            var parent = entry.path
            while !parent.isRoot {
                parent = parent.parent
                model[parent] = Entry(path: parent, metadata: Metadata(mode: 0o755), kind: .directory)
            }
            if entry.path.isRoot || model[entry.path]?.isDirectory == true { entry.kind = .directory }
            // A link of a dump leads somewhere.
            if entry.kind == .symlink(target: "") { entry.kind = .fifo }
            model[entry.path] = entry
        }
        return (model, model.values.shuffled(using: &generator))
    }

    @Test(arguments: UInt64(0)..<5)
    func aTreeIsWhatItWasMadeOf(_ seed: UInt64) throws {
        let (model, shuffled) = Self.tree(seed)
        let tree = try Tree(shuffled)
        let sorted = model.values.sorted { $0.path < $1.path }
        #expect(tree.entries.elementsEqual(sorted))
        let other = try Tree(sorted)
        #expect(tree == other && tree.hashValue == other.hashValue)
        for (path, entry) in model {
            #expect(tree[path] == entry)
            for other in [path.appending("0"), path.appending("zz")] { #expect(tree[other] == model[other]) }
        }
        var decoder = TreeDumpDecoder()
        let dump = TreeDump.encode(tree)
        for start in stride(from: 0, to: dump.count, by: 77) {
            try dump[start..<min(start + 77, dump.count)].withUnsafeBytes { try decoder.decode($0) }
        }
        #expect(try decoder.finish() == tree)
        for size in [77, 400, 3000] {
            var decoder = TreeDumpDecoder()
            for start in stride(from: 0, to: dump.count, by: size) {
                try decoder.append(TreeDumpLines(Array(dump[start..<min(start + size, dump.count)])))
            }
            #expect(try decoder.finish() == tree)
        }
        let directories = TreeDirectories(tree)
        #expect(directories.count == model.values.count(where: \.isDirectory))
        for number in 0..<directories.count {
            let path = directories.entry(number).path
            let children = model.keys.filter { !$0.isRoot && $0.parent == path }.sorted()
            #expect(directories.children(number).map { tree.entries.path(at: $0) } == children)
            #expect(directories.childCount(number) == children.count)
        }
    }

    @Test(arguments: UInt64(0)..<5)
    func whatIsNoTreeIsRefused(_ seed: UInt64) throws {
        let (model, shuffled) = Self.tree(seed)
        let directory = try #require(
            model.values.first { $0.isDirectory && !$0.path.isRoot && $0.path.components.count < 3 })
        let child = try #require(model.keys.first { $0.parent == directory.path })
        #expect(throws: TreeError.duplicate(child)) { try Tree(shuffled + shuffled.filter { $0.path == child }) }
        #expect(throws: TreeError.self) { try Tree(shuffled.filter { $0.path != directory.path }) }
        #expect(throws: TreeError.self) {
            try Tree(
                shuffled.map {
                    $0.path == directory.path ? Entry(path: $0.path, metadata: $0.metadata, kind: .fifo) : $0
                })
        }
        #expect(throws: TreeError.noParentDirectory(.root)) { try Tree([Entry]()) }
    }
}
