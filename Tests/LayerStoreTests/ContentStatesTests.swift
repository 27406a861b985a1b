import Bytes
import Digests
import Foundation
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// What is noted of contents, and what is noticed by it.
struct ContentStatesTests {
    private let fixture: StoreFixture
    private let digests: [Digest]
    private let states: ContentStates

    init() throws {
        fixture = try StoreFixture()
        let store = try fixture.open()
        // More than one thread looks at in a row.
        let texts = (0..<600).map { "content \($0)" }
        try StoreFixture.add("a", Dictionary(uniqueKeysWithValues: texts.map { ("/" + $0, $0) }), to: store)
        digests = texts.map { Digest(hashing: Array($0.utf8)) }
        states = try #require(try store.states(of: Dictionary(uniqueKeysWithValues: digests.map { ($0, nil) })))
    }

    private func place(_ digest: Digest) -> String { "\(fixture.path)/blobs/sha256/\(BlobPath.of(digest))" }

    private func read(_ bytes: [UInt8]) -> ContentStates? { bytes.withUnsafeBytes { ContentStates(bytes: $0) } }

    @Test func whatIsWrittenIsRead() throws {
        #expect(states.count == 600)
        #expect(read(states.bytes) == states)
        #expect(read([]) != nil && read(states.bytes.dropLast()) == nil)
        let store = try fixture.open(.reading)
        #expect(try store.isUnchanged(states))
        #expect(try store.isUnchanged(#require(read([]))))
    }

    @Test func theEmptyContentIsNoFile() throws {
        let store = try fixture.open(.reading)
        #expect(try store.states(of: [.empty: 0, digests[0]: nil])?.count == 1)
    }

    /// What happens to a content.
    enum Harm: CaseIterable { case written, regranted, removed, replaced }

    @Test(arguments: Harm.allCases, [0, 299, 599]) func aChangeIsNoticed(_ harm: Harm, _ number: Int) throws {
        let path = place(digests[number])
        let text = try Data(contentsOf: URL(fileURLWithPath: path))
        switch harm {
        case .written:
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.write(contentsOf: Data("C".utf8))
            try file.close()
        case .regranted:
            try FileManager.default.setAttributes([.posixPermissions: NSNumber(value: 0o600)], ofItemAtPath: path)
        case .removed: try FileManager.default.removeItem(atPath: path)
        case .replaced:
            // The same bytes in another inode are not as they were, but sound.
            try text.write(to: URL(fileURLWithPath: path), options: .atomic)
        }
        let store = try fixture.open(.reading)
        #expect(try !store.isUnchanged(states))
        let wanted = Dictionary(uniqueKeysWithValues: digests.map { ($0, UInt64?.none) })
        let found = try store.states(of: wanted)
        #expect((found != nil) == (harm == .replaced))
        #expect(found != states)
    }

    @Test func anotherSizeThanIsWantedIsNoContent() throws {
        let store = try fixture.open(.reading)
        #expect(try store.states(of: [digests[3]: 9]) != nil)
        #expect(try store.states(of: [digests[3]: 8]) == nil)
    }
}
