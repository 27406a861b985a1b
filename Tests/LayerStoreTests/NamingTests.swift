import Bytes
import Digests
import Foundation
import Posix
import Synchronization
import TestSupport
import Testing
import Trees

@testable import LayerStore

/// The rows of the index are made while the contents that they are of get their names.
struct NamingTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    static let files = Dictionary(uniqueKeysWithValues: (0..<40).map { ("/f\($0)", "content \($0)") })

    private func path(of text: String) -> String {
        "\(fixture.path)/blobs/sha256/\(BlobPath.of(Digest(hashing: Array(text.utf8))))"
    }

    /// What there is of the contents before they are named.
    enum Before: CaseIterable { case nothing, directories, someContents, aDamagedOne, oneStoredMeanwhile }

    private func prepare(_ before: Before, _ store: Store) throws {
        switch before {
        case .nothing, .oneStoredMeanwhile: break
        case .directories:
            for text in Self.files.values {
                let directory = URL(fileURLWithPath: path(of: text)).deletingLastPathComponent()
                try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            }
        case .someContents: try StoreFixture.add("some", Self.files.filter { $0.key < "/f2" }, to: store)
        case .aDamagedOne:
            try StoreFixture.add("one", ["/f": "content 1"], to: store)
            try Data("other".utf8).write(to: URL(fileURLWithPath: path(of: "content 1")))
        }
    }

    @Test(arguments: Before.allCases)
    func theIndexHasTheStatesThatTheContentsGotWithTheirNames(_ before: Before) throws {
        let store = try fixture.open()
        try prepare(before, store)
        let session = try fixture.open().beginAdding()
        let tree = try StoreFixture.tree(Self.files, in: session)
        if before == .oneStoredMeanwhile { try StoreFixture.add("one", ["/f": "content 1"], to: store) }
        #expect(try commit(tree, in: session) == .created)
        let index = try #require(store.writableIndex)
        let recorded = try index.read("read") { try InodeFingerprint.all($0) }
        for text in Self.files.values {
            let digest = Digest(hashing: Array(text.utf8))
            #expect(try recorded[digest] == InodeFingerprint(store.directory.blobs.status(of: BlobPath.of(digest))))
            #expect(try store.blobs.bytes(of: digest, limit: 100, wantedBy: "the test") == Array(text.utf8))
        }
        #expect(try IndexUpdate(store, index).isCurrent())
    }

    @Test func whatCannotBeNamedIsNotInTheIndex() throws {
        let store = try fixture.open()
        try StoreFixture.add("first", ["/f": "1"], to: store)
        let index = try #require(store.writableIndex)
        let earlier = try index.read("read") { try InodeFingerprint.all($0) }
        let session = try store.beginAdding()
        let tree = try StoreFixture.tree(Self.files, in: session)
        // Taken away from below the session: then it cannot be renamed, as it is where there is a directory for it.
        let lost = Digest(hashing: Array("content 7".utf8))
        try store.directory.blobs.ensureDirectory(ContentPublisher.shard(lost), mode: StoreDirectory.directoryMode)
        let name = try #require(session.pending.withLock { $0[lost]?.name })
        try session.flush()
        session.staging.discard(name)
        #expect(throws: LayerStoreError.self) { try commit(tree, in: session) }
        #expect(try store.references.names(.layer).map(\.text) == ["first"])
        #expect(try IndexUpdate(store, index).isCurrent())
        #expect(try index.read("read") { try InodeFingerprint.all($0) } == earlier)
    }

    private func commit(_ tree: Tree, in session: StoreSession) throws -> CommitOutcome {
        try session.commit(
            layer: Name("layer"), tree: tree, provenance: nil, source: "test", created: "1970-01-01T00:00:00Z",
            platform: nil, diffID: DiffID(.empty), replacing: false)
    }
}
