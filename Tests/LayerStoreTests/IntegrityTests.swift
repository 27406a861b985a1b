import Bytes
import Digests
import Foundation
import GRDB
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerStore

struct IntegrityTests {
    let fixture: StoreFixture

    init() throws {
        fixture = try StoreFixture()
        let store = try fixture.open()
        try StoreFixture.add("a", ["/usr/shared": "shared content", "/usr/own": "own"], to: store)
        try StoreFixture.add("b", ["/opt/copy": "shared content"], to: store)
        let layers = try ["a", "b"].map { name in
            ImageRecord.Layer(name: name, record: try #require(try store.references.digest(of: Name(name), .layer)))
        }
        let image = ImageRecord(
            created: "1970-01-01T00:00:00Z", expression: "a+b", layers: layers, onConflict: .error, entries: 6,
            size: 31,
            settings: ImageSettings())
        _ = try store.beginAdding().commit(image: Name("i"), image, replacing: false)
        try makeNode()
    }

    private func makeNode() throws {
        _ = try NodeStore(fixture.open()).node(
            for: Digest(hashing: Array("own".utf8)), size: 3, metadata: Metadata(mode: 0o700), exactTime: false)
    }

    private func repair(from place: String) throws -> IntegrityReport {
        let store = try fixture.open(.collecting)
        let report = try IntegrityCheck(
            store, pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in }
        ).run()
        let repair = try StoreRepair(store, report)
        try repair.search(store: ByteString(place))
        return try repair.finish(report)
    }

    private func check() throws -> IntegrityReport {
        try IntegrityCheck(fixture.open(.reading), pool: WorkerPool(workers: 2), begin: { _ in }, advance: { _ in })
            .run()
    }

    /// The files of the store that are named by their content.
    private func contents(_ folder: String) throws -> [String] {
        try fixture.directory.contents("store/\(folder)").filter { $0.count > 60 }.map {
            "\(fixture.path)/\(folder)/\($0)"
        }
    }

    private func overwrite(_ path: String, _ bytes: Data) throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: bytes)
        try file.close()
        try FileManager.default.setAttributes(
            [.posixPermissions: try #require(attributes[.posixPermissions])], ofItemAtPath: path)
    }

    @Test func aSoundStoreHasNothingToReport() throws {
        let report = try check()
        #expect(report.damages.isEmpty && report.isSound && report.foreignFiles.isEmpty)
        #expect(report.blobs == 7 && report.nodes == 1 && report.layers == 2 && report.images == 1)
    }

    /// A tenth of LAYERFS_DAMAGE_ROUNDS.
    @Test func everySingleBitFlipOfABlobOrNodeIsFoundAndSaysWhomItTouches() throws {
        var random = SeededGenerator(seed: 64)
        let image = try fixture.open(.reading).references.digest(of: Name("i"), .image).map { "\($0)" }
        let files = try contents("blobs/sha256") + contents("nodes")
        let copy = fixture.directory.path + "/copy"
        try Tool.succeed("cp", ["-a", "\(fixture.path)", copy])
        for round in 0..<(damageRounds / 10) {
            let path = files[round % files.count]
            let good = try Data(contentsOf: URL(fileURLWithPath: path))
            var bad = good
            bad[Int.random(in: bad.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try overwrite(path, bad)
            let report = try check()
            #expect(report.damages.count == 1, "\(path)")
            let damage = try #require(report.damages.first)
            #expect(damage.kind == (path.contains("/nodes/") ? .node : .damaged))
            #expect(path.hasSuffix(damage.place) && damage.images == ["i"])
            // All but the image's record belong to layers, too.
            #expect(damage.layers.isEmpty == (damage.digest == image))
            // With a good copy at hand it is healed.
            let healed = try repair(from: copy)
            #expect(healed.isSound && healed.damages.map(\.place) == [damage.place])
            #expect(try check().isSound, "\(path)")
            // A node is made anew when it is needed.
            if damage.kind == .node {
                try makeNode()
            } else {
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == good)
            }
        }
        #expect(try check().isSound)
    }

    @Test func damageNamesEveryLayerImageAndFile() throws {
        let shared = Digest(hashing: Array("shared content".utf8))
        try FileManager.default.removeItem(atPath: "\(fixture.path)/blobs/sha256/\(BlobPath.of(shared))")
        let damage = try #require(try check().damages.first)
        #expect(damage.kind == .missing && damage.digest == "\(shared)")
        #expect(damage.layers == ["a", "b"] && damage.images == ["i"])
        #expect(damage.paths == [.init(layer: "a", path: "/usr/shared"), .init(layer: "b", path: "/opt/copy")])
    }

    @Test(arguments: ["sha256:12\n", "", "sha256:" + String(repeating: "0", count: 64) + "\n"])
    func aReferenceThatLeadsNowhereIsFound(_ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(fixture.path)/refs/layers/c"))
        let kinds = try check().damages.map(\.kind)
        #expect(kinds == [text.count > 60 ? .missing : .reference])
    }

    @Test func documentsThatAreNoDocumentsAreFound() throws {
        let session = try fixture.open().beginAdding()
        let digest = try session.stage(bytes: Array("{}".utf8))
        try session.publish()
        try Data("\(digest)\n".utf8).write(to: URL(fileURLWithPath: "\(fixture.path)/refs/layers/c"))
        let damage = try #require(try check().damages.first)
        #expect(damage.kind == .record && damage.layers == ["c"])
    }

    @Test func anIndexThatDoesNotSayWhatRecordsSayIsFound() throws {
        let store = try fixture.open()
        // Changed by the means of SQLite, so that the stamp agrees.
        try store.writableIndex?.write("test") { try $0.execute(sql: "UPDATE blobs SET size = size + 1") }
        _ = consume store
        #expect(try check().damages.map(\.kind) == [.index])
        _ = try fixture.open(.reindexing)
        #expect(try check().isSound)
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(fixture.path)/index.sqlite"))
        #expect(try check().damages.map(\.kind) == [.index])
    }

    @Test func aNodeThatWasGivenAnotherModeIsFound() throws {
        let node = try #require(try contents("nodes").first)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: node)
        #expect(try check().damages.map(\.kind) == [.node])
    }

    @Test func filesOfOthersAreToldButAreNoDamage() throws {
        try Data().write(to: URL(fileURLWithPath: "\(fixture.path)/blobs/sha256/notes"))
        let report = try check()
        #expect(report.isSound && report.foreignFiles == ["blobs/sha256/notes"])
    }
}
