import Bytes
import Digests
import Foundation
import Posix
import Synchronization
import TestSupport
import Testing
import Trees

@testable import LayerStore

struct StoreSessionTests {
    @Test func contentsAreSoundOnlyWhenAllAreAsTheyWere() throws {
        let fixture = try StoreFixture()
        let texts = (0..<600).map { "content \($0)" }
        try StoreFixture.add(
            "a", Dictionary(uniqueKeysWithValues: texts.map { ("/" + $0, $0) }), to: fixture.open())
        let contents = Dictionary<Digest, UInt64?>(
            uniqueKeysWithValues: texts.map { (Digest(hashing: Array($0.utf8)), UInt64($0.utf8.count)) })
        func isSound(_ change: (inout [Digest: UInt64?]) -> Void = { _ in }) throws -> Bool {
            var contents = contents
            change(&contents)
            return try fixture.open(.reading).isSound(contents)
        }
        let some = Digest(hashing: Array(texts[500].utf8))
        let path = "\(fixture.path)/blobs/sha256/\(BlobPath.of(some))"
        #expect(try isSound())
        #expect(try isSound { $0[.empty] = 0 } && isSound { $0[some] = .some(nil) } && isSound { $0 = [:] })
        #expect(try !isSound { $0[Digest(hashing: [7])] = 1 })
        #expect(try !isSound { $0[some] = 1 })
        // Another time alone is no damage: it is read.
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 5)], ofItemAtPath: path)
        #expect(try isSound())
        try FileManager.default.setAttributes([.posixPermissions: NSNumber(value: 0o600)], ofItemAtPath: path)
        #expect(try !isSound())
        try FileManager.default.setAttributes([.posixPermissions: NSNumber(value: 0o444)], ofItemAtPath: path)
        let bytes = Array(texts[500].utf8.dropLast()) + [UInt8(ascii: "x")]
        try FileManager.default.removeItem(atPath: path)
        #expect(try !isSound())
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(try !isSound())
    }

    @Test func aContentIsStoredOnceUnderItsDigest() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let session = try store.beginAdding()
        let first = try session.stage(file: fixture.file("a", "hello"))
        let second = try session.stage(file: fixture.file("b", "hello"))
        #expect(first.digest == Digest(hashing: Array("hello".utf8)))
        #expect(first.wasCopied && !second.wasCopied)
        #expect(try session.publish() == [first.digest])
        #expect(try store.blobs.bytes(of: first.digest, limit: 10, wantedBy: "the test") == Array("hello".utf8))
        // Another session finds it there.
        #expect(try store.beginAdding().stage(file: fixture.file("c", "hello")).wasCopied == false)
    }

    @Test func nothingIsVisibleBeforeItIsPublishedAndNothingIsLeftBehind() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let before = try fixture.snapshot()
        do {
            let session = try store.beginAdding()
            let file = try session.stage(file: fixture.file("a", "hello"))
            #expect(try store.blobs.size(of: file.digest) == nil)
        }
        #expect(try fixture.snapshot() == before)
    }

    @Test func directoriesThatAreThereAndThoseThatAreNotAreFilledAlike() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let sessions = [try store.beginAdding(), try store.beginAdding()]
        var contents: [Digest: [UInt8]] = [:]
        for number in 0..<400 {
            let bytes = Array("content \(number)".utf8)
            // Every third is staged by both.
            for (index, session) in sessions.enumerated() where number % 3 == index || number % 3 == 2 {
                contents[try session.stage(bytes: bytes)] = bytes
            }
        }
        for session in sessions { try session.publish() }
        // Directories that were published once are staged anew.
        let further = try sessions[0].stage(bytes: [1, 2, 3])
        try sessions[0].publish()
        contents[further] = [1, 2, 3]
        for (digest, bytes) in contents {
            #expect(try store.blobs.bytes(of: digest, limit: 100, wantedBy: "the test") == bytes)
        }
        #expect(try fixture.snapshot().filter { $0.key.hasPrefix("blobs/") }.count == contents.count)
    }

    @Test func aKnownStateOfAFileIsNotReadAgain() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let path = try fixture.file("a", "hello")
        let first = try store.beginAdding()
        let file = try first.stage(file: path)
        try first.publish()
        let state = SourceState(try Files.status(path))
        for hasAttributes in [false, true] {
            let content = KnownContent(digest: file.digest, hasAttributes: hasAttributes)
            let known = try store.beginAdding().stage(file: path, state: state, known: content)
            #expect(known.digest == file.digest && !known.wasCopied)
            #expect(known.metadata == file.metadata && known.fingerprint == file.fingerprint)
        }
        // A digest that the store lacks is no reason to skip reading.
        let other = KnownContent(digest: Digest(hashing: [1]), hasAttributes: false)
        #expect(try store.beginAdding().stage(file: path, state: state, known: other).digest == file.digest)
    }

    @Test func aKnownStateWithoutAttributesIsNotEvenOpened() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let path = try fixture.file("a", "hello")
        let session = try store.beginAdding()
        let file = try session.stage(file: path)
        try session.publish()
        let state = SourceState(try Files.status(path))
        try FileManager.default.removeItem(atPath: path.description)
        let plain = KnownContent(digest: file.digest, hasAttributes: false)
        #expect(try store.beginAdding().stage(file: path, state: state, known: plain).digest == file.digest)
        let other = KnownContent(digest: file.digest, hasAttributes: true)
        #expect(throws: LayerStoreError.self) {
            try store.beginAdding().stage(file: path, state: state, known: other)
        }
    }

    @Test func whatChangesWhileItIsReadIsStoredUnderItsOwnDigestOrNotAtAll() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let path = try fixture.file("log", String(repeating: "x", count: 4 << 20))
        let stop = Atomic(false)
        let writer = Thread {
            guard let handle = FileHandle(forWritingAtPath: path.description) else { return }
            while !stop.load(ordering: .relaxed) {
                handle.seekToEndOfFile()
                handle.write(Data("y".utf8))
            }
        }
        writer.start()
        defer { stop.store(true, ordering: .relaxed) }
        for _ in 0..<5 {
            let session = try store.beginAdding()
            do {
                let file = try session.stage(file: path)
                try session.publish()
                let bytes = try store.blobs.bytes(of: file.digest, limit: 1 << 30, wantedBy: "the test")
                #expect(UInt64(bytes.count) == file.size)
            } catch LayerStoreError.sourceChanges {
                // As it should say.
            }
        }
    }

    @Test func furtherHardLinksAreNoChange() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let path = try fixture.file("linked", String(repeating: "x", count: 4 << 20))
        let stop = Atomic(false)
        let linker = Thread {
            while !stop.load(ordering: .relaxed) {
                link(path.description, path.description + ".link")
                unlink(path.description + ".link")
            }
        }
        linker.start()
        defer { stop.store(true, ordering: .relaxed) }
        for _ in 0..<5 { #expect(try store.beginAdding().stage(file: path).size == 4 << 20) }
    }

    @Test func linksAndFifosAreNotFollowed() throws {
        let fixture = try StoreFixture()
        let session = try fixture.open().beginAdding()
        let link = fixture.directory.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc/passwd")
        #expect(throws: LayerStoreError.self) { try session.stage(file: ByteString(link)) }
        let fifo = fixture.directory.path + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        #expect { try session.stage(file: ByteString(fifo)) } throws: {
            if case LayerStoreError.sourceNotRegular = $0 { true } else { false }
        }
    }

    @Test func manyAddersOfTheSameContentAllSucceed() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let outcomes = Mutex<[CommitOutcome]>([])
        try WorkerPool(workers: 8).forEach(16) { index in
            let outcome = try StoreFixture.add(
                "layer\(index % 4)", ["/usr/a": "same", "/usr/b": "\(index % 4)"], to: store)
            outcomes.withLock { $0.append(outcome) }
        }
        #expect(outcomes.withLock { $0.count { $0 == .created } } == 4)
        #expect(try store.references.names(.layer).map(\.text) == ["layer0", "layer1", "layer2", "layer3"])
        #expect(try store.diskUsage().contents == 5)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(fixture.path)/staging").isEmpty)
    }

    @Test func stagingOfADeadCommandIsRemovedAndThatOfALivingOneIsKept() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let living = try store.beginAdding()
        try living.stage(bytes: [1, 2, 3])
        let abandoned = "\(fixture.path)/staging/1-2"
        try FileManager.default.createDirectory(atPath: abandoned + "/deep", withIntermediateDirectories: true)
        _ = try store.beginAdding()
        #expect(!FileManager.default.fileExists(atPath: abandoned))
        #expect(try living.publish().count == 1)
    }
}
