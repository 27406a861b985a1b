import Bytes
import Digests
import Foundation
import Testing
import Trees

@testable import LayerStore

struct CommitTests {
    @Test(arguments: ["/f", "/\",\"requests\":[{\"x\":1}]", "/\\", "/,\"requests\":"])
    func whatWasAskedForIsFoundWithoutTheRestOfTheProvenance(_ path: String) throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        let session = try store.beginAdding()
        _ = try StoreFixture.tree([path: "1"], in: session)
        let place = try TreePath(ByteString(path))
        for requests in [[], [Provenance.Request(text: path, path: place, opened: ByteString(path))]] {
            let provenance = Provenance(
                requests: requests, files: [.init(path: place, source: ByteString(path), package: nil, origin: path)],
                edges: [.init(from: nil, to: place, kind: path, name: ByteString(path), found: path)])
            let digest = try session.stage(bytes: StoreJSON.encode(provenance, what: "the provenance"))
            let record = LayerRecord(
                created: "", source: "", platform: nil, entries: 1, size: 1, tree: .empty, diffID: DiffID(.empty),
                provenance: digest)
            try session.publish()
            #expect(try store.requests(of: record) == requests)
            #expect(try store.provenance(of: record) == provenance)
        }
    }

    @Test func aNameStandsForOneContentUntilItIsReplaced() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        #expect(try StoreFixture.add("a", ["/f": "1"], to: store) == .created)
        #expect(try StoreFixture.add("a", ["/f": "1"], to: store) == .unchanged)
        #expect {
            try StoreFixture.add("a", ["/f": "2", "/g": "3"], to: store)
        } throws: { error in
            guard case LayerStoreError.nameTaken("a", let detail) = error else { return false }
            return detail.contains("1 changed (/f)") && detail.contains("1 added (/g)")
        }
        #expect(try StoreFixture.add("a", ["/f": "2"], to: store, replacing: true) == .replaced)
        let digest = try #require(try store.references.digest(of: Name("a"), .layer))
        let tree = try store.tree(of: store.layerRecord(digest))
        #expect(tree[try TreePath("/f")]?.kind == .file(digest: Digest(hashing: Array("2".utf8)), size: 1))
    }

    @Test func layersAndImagesShareOneSpaceOfNames() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/f": "1"], to: store)
        let layer = try #require(try store.references.digest(of: Name("a"), .layer))
        let image = ImageRecord(
            created: "1970-01-01T00:00:00Z", expression: "a", layers: [.init(name: "a", record: layer)],
            onConflict: .error, entries: 2, size: 1, settings: ImageSettings())
        #expect(throws: LayerStoreError.self) {
            try store.beginAdding().commit(image: Name("a"), image, replacing: true)
        }
        #expect(try store.beginAdding().commit(image: Name("i"), image, replacing: false) == .created)
        #expect(try store.beginAdding().commit(image: Name("i"), image, replacing: false) == .unchanged)
        #expect(throws: LayerStoreError.self) { try StoreFixture.add("i", ["/f": "1"], to: store) }
        // The image keeps its layer when the name goes.
        #expect(try store.remove(Name("a")).stillUsedBy == ["i"])
        #expect(try store.tree(of: store.layerRecord(layer)).entries.count == 2)
        #expect { try store.remove(Name("a")) } throws: {
            if case LayerStoreError.noSuchName = $0 { true } else { false }
        }
    }

    @Test func namesWithSlashesDoNotCollideWithDirectories() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        for name in ["a", "a/b", "a/b:1"] { try StoreFixture.add(name, ["/f": name], to: store) }
        #expect(try store.references.names(.layer).map(\.text) == ["a", "a/b", "a/b:1"])
    }

    @Test func documentsRoundTripAndDamageIsNamed() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/f": "1"], to: store)
        let digest = try #require(try store.references.digest(of: Name("a"), .layer))
        let path = "\(fixture.path)/blobs/sha256/\(BlobPath.of(digest))"
        let record = try Data(contentsOf: URL(fileURLWithPath: path))
        for position in record.indices {
            var damaged = record
            damaged[position] ^= 1
            try damaged.write(to: URL(fileURLWithPath: path))
            #expect { try store.layerRecord(digest) } throws: {
                if case LayerStoreError.damagedBlob(digest, _, _) = $0 { true } else { false }
            }
        }
        try FileManager.default.removeItem(atPath: path)
        #expect { try store.layerRecord(digest) } throws: {
            if case LayerStoreError.missingBlob(digest, _) = $0 { true } else { false }
        }
    }

    @Test func aDamagedContentIsNeverHandedOutAsWhole() throws {
        let fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/f": "hello"], to: store)
        let digest = Digest(hashing: Array("hello".utf8))
        let file = URL(fileURLWithPath: "\(fixture.path)/blobs/sha256/\(BlobPath.of(digest))")
        for text in ["hellO", "hell", "hello!", ""] {
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
            try Data(text.utf8).write(to: file)
            #expect(throws: LayerStoreError.self) { try store.blobs.readContent(digest, size: 5) { _ in } }
        }
        // Adding the content again heals a blob of another size.
        try StoreFixture.add("b", ["/f": "hello"], to: store)
        #expect(try store.blobs.bytes(of: digest, limit: 9, wantedBy: "the test") == Array("hello".utf8))
    }
}
