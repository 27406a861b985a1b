import Bytes
import Digests
import Foundation
import ImageTransport
import LayerStore
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

/// Notes of images: what is kept is found again, and nothing else.
struct ImageNotesTests {
    private let fixture: KitFixture
    private let notes: ImageNotes
    private let note: ImageNotes.Note

    init() throws {
        fixture = try KitFixture()
        let tree = try fixture.add("a", ["/f": .file("one"), "/g": .file("two")])
        var contents: [Digest: UInt64?] = [:]
        for entry in tree.entries { if case .file(let digest, let size) = entry.kind { contents[digest] = size } }
        let states = try #require(try fixture.workspace.store.states(of: contents))
        note = ImageNotes.Note(
            manifest: Array("{}".utf8), states: states, cost: LayerCost([(.empty, 7)]) { _ in false })
        notes = try #require(ImageNotes(fixture.workspace))
    }

    @Test func whatIsKeptIsFound() {
        let name = notes.name(owner: .empty, ["a", "b"])
        #expect(notes.find(name) == nil)
        notes.keep(note, as: name)
        #expect(notes.find(name) == note)
        // One that says nothing of what the store has.
        notes.keep(ImageNotes.Note(manifest: [7]), as: name)
        #expect(notes.find(name) == ImageNotes.Note(manifest: [7]) && notes.find(name)?.states == ContentStates.none)
        // Facts do not run into each other, and each counts.
        for facts in [["ab"], ["a", "b", ""], ["b", "a"], ["a\", \"b"], []] {
            #expect(notes.name(owner: .empty, facts) != name)
            #expect(notes.find(notes.name(owner: .empty, facts)) == nil)
        }
    }

    @Test func whatIsDamagedIsNone() {
        let bytes = note.bytes
        #expect(ImageNotes.Note(bytes: bytes) == note)
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 0x10
            #expect(ImageNotes.Note(bytes: damaged) == nil, "byte \(position)")
            #expect(ImageNotes.Note(bytes: Array(bytes[..<position])) == nil, "\(position) bytes")
        }
        #expect(ImageNotes.Note(bytes: bytes + [0]) == nil)
        // A whole note with numbers that make no sense.
        for number in [UInt64.max, UInt64(Int.max), UInt64(bytes.count)] {
            var strange = Array(bytes.dropLast(32))
            strange.replaceSubrange(16..<24, with: Swift.withUnsafeBytes(of: number.littleEndian) { Array($0) })
            #expect(ImageNotes.Note(bytes: strange + Digest(hashing: strange).bytes) == nil)
        }
    }

    @Test func thereAreNotTooMany() throws {
        for number in 0..<70 { notes.keep(note, as: notes.name(owner: .empty, ["\(number)"])) }
        #expect(try fixture.directory.contents("store/cache/images").count == 64)
        #expect(notes.find(notes.name(owner: .empty, ["69"])) == note)
    }

    @Test(arguments: ["a", "a+b", "b"]) func anExportIsNotedByAllThatDecidesIt(_ text: String) throws {
        try fixture.add("b", ["/h": .file("three")])
        let expression = try RootExpression(text)
        var options = ExportImage.Options()
        options.draftsNote = true
        let export = ExportImage(fixture.workspace)
        let result = try export.run(expression, to: .layout(fixture.path("image")), options)
        export.keep(try #require(result.draft), manifest: [1, 2, 3])
        #expect(export.notedManifest(expression, options) == [1, 2, 3])
        var others = [ExportImage.Options](repeating: options, count: 6)
        others[0].form = .flat
        others[1].compression = .zstd
        others[2].compressionLevel = 9
        others[3].maximumLayers = 1
        others[4].isStargz = true
        others[5].recompresses = true
        for other in others { #expect(export.notedManifest(expression, other) == nil) }
        #expect(export.notedManifest(try RootExpression("b+a"), options) == nil)
        #expect(export.notedManifest(try RootExpression("nobody"), options) == nil)
        let epoch = try Workspace(
            store: fixture.path("store"), .reading, sourceDateEpoch: Timestamp(seconds: 500))
        #expect(ExportImage(epoch).notedManifest(expression, options) == nil)
    }
}
