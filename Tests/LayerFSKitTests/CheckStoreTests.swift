import Bytes
import Digests
import Foundation
import LayerStore
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct CheckStoreTests {
    private static let text = "a content that is worth to be repaired"
    private static let digest = Digest(hashing: Array(text.utf8))

    /// A store that was closed, with the layer `a` in it, and its directory.
    private func store(_ items: [String: KitFixture.Item] = ["/usr/f": .file(text, mode: 0o755)]) throws
        -> TemporaryDirectory
    {
        let fixture = try KitFixture()
        try fixture.add("a", items)
        return fixture.directory
    }

    private func path(_ directory: TemporaryDirectory, _ digest: Digest) -> String {
        "\(directory.path)/store/blobs/sha256/\(BlobPath.of(digest))"
    }

    private func repair(_ directory: TemporaryDirectory, from places: [String] = []) throws -> IntegrityReport {
        let workspace = try Workspace(store: ByteString(directory.path + "/store"), .collecting, sourceDateEpoch: nil)
        return try CheckStore(workspace, workers: 2).repair(from: places.map { ByteString($0) })
    }

    private func check(_ directory: TemporaryDirectory) throws -> IntegrityReport {
        let workspace = try Workspace(store: ByteString(directory.path + "/store"), .reading, sourceDateEpoch: nil)
        return try CheckStore(workspace, workers: 2).run()
    }

    private func damage(_ directory: TemporaryDirectory, _ digest: Digest, missing: Bool) throws {
        let file = path(directory, digest)
        try FileManager.default.removeItem(atPath: file)
        if !missing { try Data("damaged".utf8).write(to: URL(fileURLWithPath: file)) }
    }

    @Test(arguments: [true, false])
    func withoutAGoodCopyNothingIsDoneAndNothingIsLost(_ missing: Bool) throws {
        let directory = try store()
        try damage(directory, Self.digest, missing: missing)
        let before = try directory.contents("store/blobs")
        let report = try repair(directory)
        #expect(!report.isSound && report.damages.map(\.paths.count) == [1])
        #expect(try directory.contents("store/blobs") == before)
    }

    @Test(arguments: [true, false])
    func anotherStoreHealsContentsAndDocuments(_ missing: Bool) throws {
        let (directory, other) = (try store(), try store())
        // Equal but for the time at which its records were made: trees are the same.
        let blobs = try directory.contents("store/blobs/sha256").filter { $0.count > 60 }
        for blob in blobs {
            let digest = try #require(BlobPath.digest(ByteString(blob)))
            if !FileManager.default.fileExists(atPath: path(other, digest)) { continue }
            try damage(directory, digest, missing: missing)
        }
        let report = try repair(directory, from: [other.path + "/store"])
        #expect(report.isSound && report.damages.count >= 2)
        #expect(try check(directory).damages.isEmpty)
    }

    @Test(arguments: [ExportImage.LayerForm.diff, .flat])
    func theLayersOfAnImageLayoutHealContents(_ form: ExportImage.LayerForm) throws {
        let directory = try store(["/usr/f": .file(Self.text), "/usr/empty": .file(""), "/usr/g": .file("other")])
        let workspace = try Workspace(store: ByteString(directory.path + "/store"), .reading, sourceDateEpoch: nil)
        var options = ExportImage.Options()
        options.form = form
        _ = try ExportImage(workspace).run(
            RootExpression("a"), to: .layout(ByteString(directory.path + "/image")), options)
        _ = consume workspace
        // From the layers that the store kept of the export, and then without those from the image.
        for (place, origin) in [("/nowhere", "a cached layer"), ("/image", "a layer of \(directory.path)/image")] {
            for digest in [Self.digest, Digest(hashing: Array("other".utf8))] {
                try damage(directory, digest, missing: false)
            }
            let report = try repair(directory, from: place == "/image" ? [directory.path + place] : [])
            #expect(
                report.isSound && report.damages.map(\.repair) == ["replaced by \(origin)", "replaced by \(origin)"])
            #expect(try check(directory).damages.isEmpty)
            try FileManager.default.removeItem(atPath: directory.path + "/store/cache/layers")
        }
    }

    @Test func theHostsFileHealsWhileItHasTheContent() throws {
        let directory = try TemporaryDirectory()
        let source = directory.path + "/source"
        try Data(Self.text.utf8).write(to: URL(fileURLWithPath: source))
        do {
            let workspace = try Workspace(store: ByteString(directory.path + "/store"), .adding, sourceDateEpoch: nil)
            let session = try workspace.store.beginAdding()
            let file = try session.stage(file: ByteString(source))
            let path = try TreePath("/f")
            let tree = try Tree([
                Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory),
                Entry(path: path, metadata: file.metadata, kind: .file(digest: file.digest, size: file.size)),
            ])
            let provenance = Provenance(
                requests: [], files: [.init(path: path, source: ByteString(source), package: nil)], edges: [])
            _ = try session.commit(
                layer: Name("a"), tree: tree, provenance: provenance, source: "test", created: workspace.now,
                platform: nil,
                diffID: DiffID(.empty), replacing: false)
        }
        try damage(directory, Self.digest, missing: true)
        let report = try repair(directory)
        #expect(report.damages.map(\.repair) == ["replaced by \(source)"])
        #expect(try check(directory).damages.isEmpty)
        // The file has other content now: it heals nothing.
        try Data(Self.text.uppercased().utf8).write(to: URL(fileURLWithPath: source))
        try damage(directory, Self.digest, missing: true)
        #expect(try repair(directory).damages.map(\.repair) == [nil])
    }

    @Test func nodesHealContentsAndAreMadeAnewThemselves() throws {
        let directory = try store(["/f": .file(Self.text, mode: 0o755), "/g": .file(Self.text, mode: 0o644)])
        func materialize(_ name: String) throws {
            let workspace = try Workspace(store: ByteString(directory.path + "/store"), .reading, sourceDateEpoch: nil)
            let tree = try workspace.compose(workspace.select(RootExpression("a"))).tree
            _ = try Materialize(workspace).run(tree, at: ByteString(directory.path + "/" + name))
        }
        try materialize("one")
        let nodes = try directory.contents("store/nodes").filter { $0.count > 60 }
        #expect(nodes.count == 2)
        try damage(directory, Self.digest, missing: false)
        #expect(try repair(directory).damages.map { $0.repair?.hasPrefix("replaced by nodes/") } == [true])
        // A write through a link of the node; the blob is good.
        let node = "\(directory.path)/store/nodes/\(nodes[0])"
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: node))
        try file.write(contentsOf: Data("A".utf8))
        try file.close()
        #expect(try check(directory).damages.map(\.kind) == [.node])
        #expect(try repair(directory).isSound)
        #expect(try check(directory).damages.isEmpty)
        try materialize("two")
        #expect(try directory.read("two/f") == Array(Self.text.utf8))
        #expect(try directory.read("two/g") == Array(Self.text.utf8))
    }
}
