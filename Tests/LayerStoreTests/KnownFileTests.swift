import Digests
import Foundation
import GRDB
import Posix
import Testing
import Trees

@testable import LayerStore

/// How the index keeps what is known of files and inodes.
struct KnownFileTests {
    @Test(arguments: [0, 1, 127, 128, 1 << 32, .max - 1, .max] as [UInt64])
    func numbersArePackedAndRead(_ number: UInt64) throws {
        var numbers = PackedNumbers()
        numbers.append(number)
        numbers.append(signed: Int64(bitPattern: number))
        numbers.append(signed: -1)
        #expect(numbers.bytes.last == 1)
        numbers.bytes.withUnsafeBytes { bytes in
            var reader = PackedNumbers.Reader(bytes)
            #expect(reader.next() == number)
            #expect(reader.nextSigned() == Int64(bitPattern: number))
            #expect(!reader.isAtEnd && reader.nextSigned() == -1)
            #expect(reader.isAtEnd && reader.next() == nil)
        }
    }

    @Test(
        arguments: [
            [0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            [UInt8](repeating: 0x80, count: 10) + [1],
        ] as [[UInt8]])
    func whatNoNumberIsWrittenAsIsNone(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes {
            var reader = PackedNumbers.Reader($0)
            #expect(reader.next() == nil)
        }
    }

    private static func state(_ number: Int) -> InodeFingerprint {
        InodeFingerprint(
            inode: .max - UInt64(number), size: UInt64(number),
            modified: FileTime(seconds: -5, nanoseconds: 999_999_999),
            mode: 0o7755, uid: .max, gid: 1)
    }

    @Test func aStateIsReadAsItWasPackedAndOneThatMakesNoSenseIsNone() {
        let state = Self.state(7)
        let bytes = state.packed
        func read(_ bytes: [UInt8], _ size: Int64?) -> InodeFingerprint? {
            bytes.withUnsafeBytes { InodeFingerprint(packed: $0, size: size) }
        }
        #expect(read(bytes, 7) == state)
        for (damaged, size) in [(bytes, -1), (bytes, nil), (bytes + [0], 7), (bytes.dropLast(), 7), ([], 7)]
            as [([UInt8], Int64?)]
        {
            #expect(read(damaged, size) == nil)
        }
    }

    private static func file(_ slot: UInt8, content: Int64 = 1, hasAttributes: Bool = false) -> KnownFileGroup.File {
        KnownFileGroup.File(
            slot: slot, modified: FileTime(seconds: -1, nanoseconds: 5),
            changed: FileTime(seconds: .max, nanoseconds: UInt32(slot)), content: content, hasAttributes: hasAttributes)
    }

    @Test func aGroupIsReadAsItWasPackedAndOneThatMakesNoSenseIsNone() throws {
        var group = KnownFileGroup()
        for slot in [9, 0, 31, 9] as [UInt8] { group.set(Self.file(slot, content: .max, hasAttributes: slot == 9)) }
        #expect(group.files.map(\.slot) == [0, 9, 31])
        let bytes = group.packed
        func read(_ bytes: [UInt8]) -> [KnownFileGroup.File]? {
            bytes.withUnsafeBytes { KnownFileGroup(packed: $0)?.files }
        }
        #expect(read(bytes) == group.files)
        // Cut anywhere, or the same slot twice.
        for count in 1..<bytes.count { #expect(read(Array(bytes.prefix(count))).map { $0.count < 3 } ?? true) }
        #expect(read(bytes + bytes) == nil)
        // A row of the index must not be so long that a part of it goes to a page of its own.
        var full = KnownFileGroup()
        for slot in 0..<32 as Range<UInt8> {
            full.set(
                KnownFileGroup.File(
                    slot: slot, modified: FileTime(seconds: 1 << 33, nanoseconds: 999_999_999),
                    changed: FileTime(seconds: 1, nanoseconds: 999_999_999), content: 1 << 27, hasAttributes: true))
        }
        #expect(full.packed.count < 980)
    }

    private static func source(_ inode: UInt64, _ text: String, size: UInt64 = 7) -> SourceFile {
        let status = FileStatus(
            kind: .regular, permissions: 0o644, size: size, identity: FileIdentity(device: 1, inode: inode))
        return SourceFile(
            digest: Digest(hashing: Array(text.utf8)), size: size, metadata: Metadata(mode: 0o644), wasCopied: true,
            fingerprint: SourceFingerprint(status), begun: .now)
    }

    @Test func whatIsForgottenIsNotKnownAndTheRestIs() throws {
        func isDead(_ number: Int) -> Bool { number < 40 || number % 3 == 0 }
        let index = try LayerIndex.inMemory()
        let files = (0..<100).map { Self.source(UInt64($0), "\($0)") }
        try index.write("test") { database in
            let contents = try ContentRows(database)
            try StoreSession.remember(files, contents, database)
            var dead: Set<Int64> = []
            for (number, file) in files.enumerated() where isDead(number) {
                dead.insert(try contents.row(of: file.digest, size: 7))
            }
            #expect(dead.count == 60)
            try KnownFileRows.forget(dead, database)
        }
        let found = try KnownFileSearch(files.map { $0.fingerprint }, in: index)
        for (number, known) in found.known.enumerated() { #expect((known == nil) == isDead(number)) }
        // A group without files has no row.
        let groups = try index.read("test") { try Int.fetchOne($0, sql: "SELECT count(*) FROM known_files") }
        #expect(groups == 3)
    }

    @Test func aFileIsNotTakenForAContentOfAnotherSize() throws {
        let index = try LayerIndex.inMemory()
        let file = Self.source(1, "a")
        try index.write("test") { try StoreSession.remember([file], ContentRows($0), $0) }
        #expect(try KnownFileSearch([file.fingerprint], in: index).known[0]?.digest == file.digest)
        #expect(try KnownFileSearch([Self.source(1, "a", size: 8).fingerprint], in: index).known == [nil])
    }

    @Test func aCollectionForgetsTheRowsOfWhatGoes() throws {
        let fixture = try StoreFixture()
        let gone = Digest(hashing: Array("gone".utf8))
        do {
            let store = try fixture.open()
            try StoreFixture.add("a", ["/f": "stays", "/g": "both"], to: store)
            try StoreFixture.add("b", ["/f": "gone", "/g": "both"], to: store)
            _ = try store.remove(Name("b"))
        }
        let file = Self.source(1, "gone", size: 4)
        let store = try fixture.open(.collecting)
        let index = try #require(store.writableIndex)
        try index.write("test") { try StoreSession.remember([file], ContentRows($0), $0) }
        #expect(try KnownFileSearch([file.fingerprint], in: index).known[0]?.digest == gone)
        _ = try store.collectGarbage()
        #expect(try KnownFileSearch([file.fingerprint], in: index).known == [nil])
        let (left, states) = try index.read("test") { database in
            (
                try Data.fetchAll(database, sql: "SELECT digest FROM blobs").compactMap { Digest(bytes: $0) },
                try InodeFingerprint.all(database)
            )
        }
        // Two contents, and the documents of the layer.
        #expect(left.count > 2 && !left.contains(gone))
        #expect(Set(states.keys) == Set(left))
        #expect(try store.indexSummary().contents == 2)
    }
}
