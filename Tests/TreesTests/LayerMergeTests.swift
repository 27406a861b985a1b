import Bytes
import Digests
import TestSupport
import Testing

@testable import Trees

struct LayerMergeTests {
    /// What a stack of layers makes, by the rules of image-spec, layer.md, written down once more as plainly as can be.
    static func union(_ layers: [Tree.Entries]) -> [TreePath: Entry] {
        var result: [TreePath: Entry] = [:]
        for layer in layers {
            for whiteout in layer where whiteout.kind == .whiteout {
                result = result.filter { !$0.key.isWithin(whiteout.path) && $0.key != whiteout.path }
            }
            for entry in layer where entry.kind != .whiteout {
                if !entry.isDirectory {
                    result = result.filter { !$0.key.isWithin(entry.path) || $0.key == entry.path }
                }
                result[entry.path] = entry
            }
        }
        return result
    }

    /// A random layer over what is there: files, links, directories in the place of files and the other way round, removals.
    static func layer(over below: [TreePath: Entry], _ generator: inout SeededGenerator) throws -> Tree.Entries {
        var own: [TreePath: Entry] = [:]
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            var path = TreePath.root
            for depth in 0..<Int.random(in: 1...3, using: &generator) {
                if depth > 0 {
                    let parent = own[path]
                    if let parent, !parent.isDirectory { break }
                    own[path] = Entry(path: path, metadata: Metadata(mode: 0o755), kind: .directory)
                }
                path = path.appending(ByteString(["a", "b", "c"].randomElement(using: &generator)!))
            }
            let isParent = own.keys.contains { $0 != path && $0.isWithin(path) }
            guard own[path] == nil, !isParent else { continue }
            let kind: Entry.Kind
            switch Int.random(in: 0..<4, using: &generator) {
            case 0 where below[path] != nil: kind = .whiteout
            case 1: kind = .directory
            case 2: kind = .symlink(target: "x")
            default:
                let byte = UInt8.random(in: 0...255, using: &generator)
                kind = .file(digest: Digest(hashing: [byte]), size: 1)
            }
            own[path] = Entry(path: path, metadata: Metadata(mode: 0o600), kind: kind)
        }
        return Tree.Entries(own.values).sorted
    }

    @Test func theUnionStaysWhateverIsMerged() throws {
        var generator = SeededGenerator(seed: 3)
        var merged = 0
        for _ in 0..<600 {
            var layers: [Tree.Entries] = []
            for _ in 0..<Int.random(in: 2...6, using: &generator) {
                layers.append(try Self.layer(over: Self.union(layers), &generator))
            }
            let expected = Self.union(layers)
            for limit in 1...layers.count {
                let groups = LayerMerge(layers, limit: limit).groups
                #expect(groups.count == limit)
                #expect(Self.union(groups.map(\.entries)) == expected)
                var next = 0
                for group in groups {
                    #expect(group.range.lowerBound == next)
                    next = group.range.upperBound
                }
                #expect(next == layers.count)
                if limit < layers.count { merged += 1 }
            }
            // Nothing lies below a single layer: nothing is removed by it.
            #expect(!LayerMerge(layers, limit: 1).groups[0].entries.contains { $0.kind == .whiteout })
        }
        #expect(merged > 1000)
    }

    @Test func theSmallestNeighboursAreMerged() throws {
        func layer(_ name: String, _ size: UInt64) throws -> Tree.Entries {
            [
                Entry(
                    path: try TreePath(ByteString("/" + name)), metadata: Metadata(mode: 0o644),
                    kind: .file(digest: .empty, size: size))
            ]
        }
        let layers = try [layer("a", 1_000_000), layer("b", 10), layer("c", 20), layer("d", 5_000)]
        #expect(LayerMerge(layers, limit: 3).groups.map(\.range) == [0..<1, 1..<3, 3..<4])
        #expect(LayerMerge(layers, limit: 2).groups.map(\.range) == [0..<1, 1..<4])
        #expect(LayerMerge(layers, limit: 9).groups.map(\.entries) == layers)
    }
}
