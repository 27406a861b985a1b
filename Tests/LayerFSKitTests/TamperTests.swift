import Bytes
import Digests
import Foundation
import LayerStore
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct TamperTests {
    private static let text = "the content"
    private static let digest = Digest(hashing: Array(text.utf8))
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try Data(Self.text.utf8).write(to: URL(fileURLWithPath: directory.path + "/source"))
        let workspace = try Workspace(store: ByteString(directory.path + "/store"), .adding, sourceDateEpoch: nil)
        let session = try workspace.store.beginAdding()
        let file = try session.stage(file: ByteString(directory.path + "/source"))
        // The blob's own inode for /f, a further node for /g.
        let tree = try Tree([
            Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory),
            Entry(path: TreePath("/f"), metadata: file.metadata, kind: .file(digest: file.digest, size: file.size)),
            Entry(
                path: TreePath("/g"), metadata: Metadata(mode: 0o700), kind: .file(digest: file.digest, size: file.size)
            ),
        ])
        _ = try session.commit(
            layer: Name("a"), tree: tree, provenance: nil, source: "test", created: workspace.now, platform: nil,
            diffID: DiffID(.empty), replacing: false)
    }

    private func open(_ access: Store.Access = .reading) throws -> Workspace {
        try Workspace(store: ByteString(directory.path + "/store"), access, sourceDateEpoch: nil)
    }

    @discardableResult
    private func materialize(_ name: String, _ mode: LinkMode = .hard) throws -> MaterializeSummary {
        let workspace = try open()
        let tree = try workspace.compose(workspace.select(RootExpression("a"))).tree
        return try Materialize(workspace, link: mode).run(tree, at: ByteString(directory.path + "/" + name))
    }

    private func write(_ name: String) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: directory.path + "/" + name))
        try file.write(contentsOf: Data("T".utf8))
        try file.close()
    }

    @Test(arguments: ["f", "g"], LinkMode.allCases)
    func aWriteThroughALinkIsNoticedBeforeTheContentIsUsedAgain(_ file: String, _ mode: LinkMode) throws {
        try materialize("root")
        try materialize("again", mode)
        try write("root/\(file)")
        // The further node is only what hard links use.
        if file == "g", mode == .copy || mode == .reflink {
            try materialize("next", mode)
            return
        }
        #expect {
            try materialize("next", mode)
        } throws: { error in
            guard case LayerStoreError.damage(let damage) = error else { return false }
            return damage.layers == ["a"] && "\(error)".contains("the layer a") && "\(error)".contains("fsck --repair")
        }
        #expect(try directory.contents().contains("next") == false)
    }

    @Test func aWriteThroughALinkIsNoticedByExport() throws {
        try materialize("root")
        try write("root/f")
        #expect {
            try ExportImage(open()).run(
                RootExpression("a"), to: .layout(ByteString(directory.path + "/image")), ExportImage.Options())
        } throws: {
            if case LayerStoreError.damage(let damage) = $0 { damage.layers == ["a"] } else { false }
        }
    }

    @Test(arguments: ["f", "g"]) func anotherModeOfASharedInodeIsNoticedAndRepaired(_ file: String) throws {
        try materialize("root")
        let path = directory.path + "/root/" + file
        let before = try Files.status(ByteString(path)).permissions
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: LayerStoreError.self) { try materialize("next") }
        for fast in [false, true] {
            #expect(try CheckStore(open()).run(fast: fast).damages.map(\.kind) == [file == "f" ? .metadata : .node])
        }
        #expect(try CheckStore(open(.collecting)).repair(from: []).isSound)
        if file == "f" { #expect(try Files.status(ByteString(path)).permissions == before) }
        try materialize("next")
        #expect(try CheckStore(open()).run().damages.isEmpty)
    }

    @Test(.enabled(if: isRoot, "changing owners needs root")) func anotherOwnerOfASharedInodeIsNoticedAndRepaired()
        throws
    {
        try materialize("root")
        let path = directory.path + "/root/f"
        #expect(chown(path, 4711, 4712) == 0)
        #expect(throws: LayerStoreError.self) { try materialize("next") }
        #expect(try CheckStore(open(.collecting)).repair(from: []).isSound)
        #expect(try Files.status(ByteString(path)).uid == 0)
        try materialize("next")
    }

    @Test func linksTouchingAndCopyingAStoreAreNoDamage() throws {
        for name in ["one", "two", "three"] { try materialize(name) }
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 5)], ofItemAtPath: directory.path + "/one/f")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 5)], ofItemAtPath: directory.path + "/one/g")
        #expect(try materialize("four").linked == 2)
        // Other inodes, other times.
        try FileManager.default.moveItem(atPath: directory.path + "/store", toPath: directory.path + "/old")
        try FileManager.default.copyItem(atPath: directory.path + "/old", toPath: directory.path + "/store")
        #expect(try materialize("five").linked == 2)
        #expect(try CheckStore(open()).run(fast: true).isSound)
    }

    @Test func addingTheContentAgainHealsIt() throws {
        try materialize("root")
        try write("root/f")
        do {
            let session = try open(.adding).store.beginAdding()
            #expect(try session.stage(file: ByteString(directory.path + "/source")).wasCopied)
            try session.publish()
        }
        #expect(try CheckStore(open()).run().isSound)
        try materialize("next")
        #expect(try directory.read("next/f") == Array(Self.text.utf8))
    }

    @Test func withoutAnIndexEverythingIsRead() throws {
        try materialize("root")
        try FileManager.default.removeItem(atPath: directory.path + "/store/index.sqlite")
        try materialize("two")
        try write("root/f")
        #expect(throws: LayerStoreError.self) { try materialize("three") }
        _ = try open(.reindexing)
        #expect(throws: LayerStoreError.self) { try materialize("three") }
        #expect(try !CheckStore(open()).run(fast: true).isSound)
    }
}
