import Bytes
import Digests
import Foundation
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// Contents that come in pieces, written at once or by another thread.
@Suite struct IncomingContentTests {
    static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    static let contents: [[UInt8]] =
        [0, 1, 100, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20].map { bytes($0, seed: UInt64($0)) }
        + (0..<300).map { bytes(1 + $0 % 50, seed: UInt64($0 / 2)) }

    /// Gives all contents to a session.
    static func take(
        _ contents: [[UInt8]], _ session: StoreSession, _ queue: StagingQueue?, mode: UInt16 = 0o755
    ) throws -> [Digest] {
        try contents.map { bytes in
            let metadata = Metadata(mode: mode, modified: Timestamp(seconds: 1_000))
            let incoming = IncomingContent(session, metadata: metadata, queue: queue)
            for start in stride(from: 0, to: bytes.count, by: 300_000) {
                try bytes[start..<min(bytes.count, start + 300_000)].withUnsafeBytes { try incoming.write($0) }
            }
            let (digest, size) = try incoming.finish()
            #expect(size == UInt64(bytes.count))
            return digest
        }
    }

    @Test("every content is there, once, as its entry wants it, and none is written again", arguments: [false, true])
    func contents(isQueued: Bool) throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        for isKnown in [false, true] {
            let session = try store.beginAdding()
            let queue = isQueued ? StagingQueue(session) : nil
            let digests = try Self.take(Self.contents, session, queue)
            try queue?.finish()
            #expect(digests == Self.contents.map { Digest(hashing: $0) })
            let news = Set(try session.publish())
            #expect(news == (isKnown ? [] : Set(digests).subtracting([.empty])))
        }
        for (digest, bytes) in zip(Self.contents.map { Digest(hashing: $0) }, Self.contents) where !bytes.isEmpty {
            #expect(try store.blobs.bytes(of: digest, limit: 4 << 20, wantedBy: "a test") == bytes)
            let status = try #require(try store.blobs.status(of: digest))
            #expect(status.permissions == 0o755 && status.modified.seconds == 1_000)
        }
        let staging = fixture.directory.path + "/store/staging"
        #expect(try FileManager.default.contentsOfDirectory(atPath: staging) == [])
    }

    @Test("a content that was damaged is replaced", arguments: [false, true]) func damaged(isQueued: Bool) throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let contents = [Self.bytes(100, seed: 1), Self.bytes(2 << 20, seed: 2)]
        var digests: [Digest] = []
        for isDamaged in [false, true] {
            if isDamaged {
                for digest in digests {
                    let path = "\(store.blobs.path(of: digest))"
                    try FileManager.default.setAttributes(
                        [.posixPermissions: NSNumber(value: 0o644)], ofItemAtPath: path)
                    try Data("short".utf8).write(to: URL(fileURLWithPath: path))
                }
            }
            let session = try store.beginAdding()
            let queue = isQueued ? StagingQueue(session) : nil
            digests = try Self.take(contents, session, queue)
            try queue?.finish()
            try session.publish()
        }
        for (digest, bytes) in zip(digests, contents) {
            #expect(try store.blobs.bytes(of: digest, limit: 4 << 20, wantedBy: "a test") == bytes)
        }
    }

    @Test("what cannot be written is said at the latest when the queue is finished") func failure() throws {
        let fixture = try StoreFixture()
        let session = try fixture.open().beginAdding()
        let queue = StagingQueue(session)
        try FileManager.default.removeItem(
            atPath: fixture.directory.path + "/store/staging/"
                + FileManager.default.contentsOfDirectory(atPath: fixture.directory.path + "/store/staging")[0])
        #expect {
            _ = try Self.take([Self.bytes(100, seed: 1)], session, queue)
            try queue.finish()
        } throws: { error in
            guard case LayerStoreError.system("write to the store", _) = error else { return false }
            return true
        }
    }

    @Test("a queue that is left with work is no trouble") func abandoned() throws {
        let fixture = try StoreFixture()
        do {
            let session = try fixture.open().beginAdding()
            _ = try Self.take(Self.contents, session, StagingQueue(session))
        }
        let staging = fixture.directory.path + "/store/staging"
        #expect(try FileManager.default.contentsOfDirectory(atPath: staging) == [])
        #expect(try fixture.open().blobs.size(of: Digest(hashing: Self.contents[1])) == nil)
    }
}
