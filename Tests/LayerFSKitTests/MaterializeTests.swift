import Bytes
import Digests
import Foundation
import LayerStore
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct MaterializeTests {
    static let items: [String: KitFixture.Item] = [
        "/bin/tool": .file("tool", mode: 0o755), "/bin/alias": .link("tool"), "/bin/suid": .file("suid", mode: 0o4755),
        "/etc/empty": .file(""), "/etc/locked/secret": .file("secret", mode: 0o400),
        "/etc/locked": .directory(mode: 0o500),
        "/same": .file("tool", mode: 0o644), "/open": .file("open", mode: 0o666), "/pipe": .fifo,
    ]

    @Test(arguments: LinkMode.allCases)
    func aRootIsTheTreeEntryByEntry(_ mode: LinkMode) throws {
        let fixture = try KitFixture()
        let tree = try fixture.add("a", Self.items)
        let summary = try Materialize(fixture.workspace, link: mode, exactTime: true).run(
            tree, at: fixture.path("root"))
        #expect(summary.linked + summary.reflinked + summary.copied == 6)
        #expect(summary.symlinks == 1 && summary.directories == 3)
        for entry in tree.entries {
            let path = fixture.path("root") + entry.path.bytes
            let status = try Files.status(path, followingLink: false)
            switch entry.kind {
            case .directory: #expect(status.kind == .directory)
            case .file(let digest, let size):
                #expect(status.kind == .regular && status.size == size)
                #expect(Digest(hashing: try Files.read(path, limit: 100)) == digest)
            case .symlink(let target):
                #expect(try Files.linkTarget(path) == target)
                continue
            default: #expect(status.kind == .fifo)
            }
            #expect(status.permissions == entry.metadata.mode, "\(entry.path)")
            #expect(status.modified.seconds == entry.metadata.modified.seconds, "\(entry.path)")
        }
    }

    /// What directories are made with is what they have at the end, whatever the parent of the root gives to all in it.
    @Test(arguments: [0o755, 0o2777] as [UInt16])
    func directoriesHaveTheirModesAndOwnersWhereverTheyAreMade(_ mode: UInt16) throws {
        let fixture = try KitFixture()
        // One that its owner may not look into is for root to test.
        let modes: [UInt16] =
            [0o755, 0o700, 0o1777, 0o2775, 0o777, 0o500, 0o7751] + (CurrentProcess.canSetOwners ? [0o5] : [])
        var items: [String: KitFixture.Item] = [:]
        for mode in modes {
            let path = "/d\(String(mode, radix: 8))"
            (items[path], items[path + "/in"]) = (.directory(mode: mode), .directory(mode: mode))
            (items[path + "/f"], items[path + "/in/l"]) = (.file("f", mode: 0o444), .link("f"))
        }
        let tree = try fixture.add("a", items)
        let parent = fixture.path("parent")
        try FileManager.default.createDirectory(atPath: parent.description, withIntermediateDirectories: true)
        let opened = try Files.open(parent, [.readOnly, .directory])
        // A group that files would inherit; without root there is none to give it to.
        if CurrentProcess.canSetOwners { try opened.setOwner(uid: 0, gid: 5) }
        try opened.setPermissions(mode)
        _ = try Materialize(fixture.workspace, exactTime: true).run(tree, at: parent + "/root")
        for entry in tree.entries {
            let status = try Files.status(parent + "/root" + entry.path.bytes, followingLink: false)
            if entry.isDirectory { #expect(status.permissions == entry.metadata.mode, "\(entry.path)") }
            #expect(Timestamp(status.modified) == entry.metadata.modified, "\(entry.path)")
            if CurrentProcess.canSetOwners { #expect(status.uid == 0 && status.gid == 0, "\(entry.path)") }
        }
        if !CurrentProcess.canSetOwners { _ = try Tool.run("chmod", ["-R", "u+rwx", parent.description]) }
    }

    @Test func hardLinksShareTheStoresInodesAndWhatMustNotBeSharedIsNot() throws {
        let fixture = try KitFixture()
        let tree = try fixture.add("a", Self.items)
        for name in ["one", "two"] { _ = try Materialize(fixture.workspace).run(tree, at: fixture.path(name)) }
        for (path, isShared) in [
            ("/bin/tool", true), ("/same", true), ("/etc/locked/secret", true), ("/bin/suid", false), ("/open", false),
            ("/etc/empty", false),
        ] {
            let one = try Files.status(fixture.path("one" + path))
            let two = try Files.status(fixture.path("two" + path))
            #expect((one.identity == two.identity) == isShared, "\(path)")
        }
        // The same content with another mode is another inode.
        let tool = try Files.status(fixture.path("one/bin/tool"))
        #expect(try tool.identity != Files.status(fixture.path("one/same")).identity)
    }

    @Test func anotherFileSystemGetsCopiesAndSaysSo() throws {
        let fixture = try KitFixture()
        let tree = try fixture.add("a", ["/f": .file("hello"), "/g": .file("other")])
        let target = ByteString("/dev/shm/layerfs-test-\(UInt32.random(in: 0...UInt32.max))")
        defer { try? FileManager.default.removeItem(atPath: target.description) }
        let devices = try [Files.status("/dev/shm"), Files.status(fixture.path("store"))].map(\.identity.device)
        try #require(devices[0] != devices[1], "/dev/shm is the file system of the temporary directory")
        for mode in [LinkMode.hard, .auto, .reflink] {
            let summary = try Materialize(fixture.workspace, link: mode).run(tree, at: target)
            #expect(summary.copied == 2)
            #expect(summary.fallbacks.values.reduce(0, +) == 2, "\(mode): \(summary.fallbacks)")
            try FileManager.default.removeItem(atPath: target.description)
        }
    }

    @Test func theTargetMustBeFreeOrEmpty() throws {
        let fixture = try KitFixture()
        let tree = try fixture.add("a", ["/f": .file("hello")])
        try FileManager.default.createDirectory(atPath: "\(fixture.path("empty"))", withIntermediateDirectories: false)
        _ = try Materialize(fixture.workspace).run(tree, at: fixture.path("empty/"))
        #expect(try Files.read(fixture.path("empty/f"), limit: 9) == Array("hello".utf8))
        for taken in ["empty", "empty/f", "store"] {
            #expect { try Materialize(fixture.workspace).run(tree, at: fixture.path(taken)) } throws: {
                if case LayerFSError.targetExists = $0 { true } else { false }
            }
        }
        #expect { try Materialize(fixture.workspace).run(tree, at: fixture.path("no/such/parent")) } throws: {
            if case LayerFSError.system = $0 { true } else { false }
        }
        #expect(try fixture.directory.contents().filter { $0.contains(".layerfs-") }.isEmpty)
    }

    @Test func aFailureLeavesNothing() throws {
        let fixture = try KitFixture()
        let tree = try fixture.add("a", Self.items)
        let digest = Digest(hashing: Array("secret".utf8))
        try FileManager.default.removeItem(atPath: "\(fixture.path("store/blobs/sha256"))/\(BlobPath.of(digest))")
        #expect { try Materialize(fixture.workspace).run(tree, at: fixture.path("root")) } throws: {
            if case LayerStoreError.missingBlob(digest, _) = $0 { true } else { false }
        }
        #expect(try fixture.directory.contents().allSatisfy { $0.hasPrefix("store") })
    }

    @Test func damageIsNotCopiedIntoARoot() throws {
        let fixture = try KitFixture()
        let tree = try fixture.add("a", ["/f": .file("hello")])
        let blob = "\(fixture.path("store/blobs/sha256"))/\(BlobPath.of(Digest(hashing: Array("hello".utf8))))"
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: blob)
        try Data("hellO".utf8).write(to: URL(fileURLWithPath: blob))
        #expect { try Materialize(fixture.workspace, link: .copy).run(tree, at: fixture.path("root")) } throws: {
            if case LayerStoreError.damage(let damage) = $0 { damage.layers == ["a"] } else { false }
        }
    }
}
