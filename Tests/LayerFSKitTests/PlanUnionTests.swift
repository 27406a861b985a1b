import Bytes
import Digests
import Foundation
import LayerStore
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct PlanUnionTests {
    /// An entry of a plan: a path, what it is, and who wants it.
    static func generated(_ path: String, _ text: String, mode: UInt16 = 0o644, from origin: String = "a") throws
        -> PlannedEntry
    {
        PlannedEntry(try TreePath(ByteString(path)), .generated(Array(text.utf8), mode: mode), .preset(origin))
    }

    static func node(_ path: String, _ kind: Entry.Kind, mode: UInt16 = 0o755, from origin: String = "b") throws
        -> PlannedEntry
    {
        let metadata = Metadata(mode: mode, uid: 7, gid: 8, modified: Timestamp(seconds: 99))
        return PlannedEntry(try TreePath(ByteString(path)), .node(kind, metadata, source: nil), .preset(origin))
    }

    static func tree(_ entries: [PlannedEntry], _ fixture: KitFixture) throws -> Tree {
        var plan = LayerPlan()
        plan.entries = PlanEntries(entries)
        let session = try fixture.workspace.store.beginAdding()
        try FileManager.default.createDirectory(
            atPath: fixture.directory.path + "/root", withIntermediateDirectories: true)
        return try StagedLayer(
            plan, root: fixture.path("root"), intake: session, pool: WorkerPool(workers: 2), progress: .none
        ).tree
    }

    @Test func onePathFromTwoSourcesIsFineWhenTheyAgree() throws {
        let tree = try Self.tree(
            [
                Self.generated("/etc/motd", "hello"), Self.generated("/etc/motd", "hello", from: "b"),
                Self.node("/etc", .directory), Self.node("/l", .symlink(target: "etc")),
                Self.node("/l", .symlink(target: "etc"), from: "c"),
            ], KitFixture())
        #expect(tree.entries.map(\.path.description) == ["/", "/etc", "/etc/motd", "/l"])
        #expect(tree[try TreePath("/etc")]?.metadata.uid == 7)
    }

    struct Case: Sendable {
        var entries: @Sendable () throws -> [PlannedEntry]
        var path: String
        var reason: SourceConflict.Reason
    }

    static let conflicts = [
        Case(
            entries: { [try generated("/f", "1"), try generated("/f", "2", from: "b")] }, path: "/f", reason: .content),
        Case(
            entries: { [try generated("/f", "1"), try generated("/f", "1", mode: 0o600, from: "b")] }, path: "/f",
            reason: .metadata),
        Case(entries: { [try generated("/f", "1"), try node("/f", .directory)] }, path: "/f", reason: .kind),
        Case(
            entries: { [try node("/l", .symlink(target: "x")), try node("/l", .symlink(target: "y"))] }, path: "/l",
            reason: .target),
        Case(
            entries: { [try node("/d", .directory), try node("/d", .directory, mode: 0o700)] }, path: "/d",
            reason: .metadata),
        Case(
            entries: { [try generated("/l/f", "1"), try node("/l", .symlink(target: "x"))] }, path: "/l",
            reason: .notDirectory),
        Case(
            entries: { [try generated("/a", "1"), try generated("/a/b/c", "2", from: "b")] }, path: "/a",
            reason: .notDirectory),
    ]

    @Test(arguments: conflicts.indices)
    func sourcesThatDisagreeAreNamed(_ index: Int) throws {
        let example = Self.conflicts[index]
        #expect { try Self.tree(example.entries(), KitFixture()) } throws: { error in
            guard case LayerFSError.conflictingSources(let found) = error else { return false }
            return found.count == 1 && found[0].path.description == example.path && found[0].reason == example.reason
                && Set([found[0].first, found[0].second]).isSubset(of: ["preset a", "preset b"])
        }
    }

    @Test func parentsAreAsTheHostHasThemOrRootsOwn() throws {
        let fixture = try KitFixture()
        let host = fixture.directory.path + "/root"
        try FileManager.default.createDirectory(atPath: host + "/var/secret", withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o710], ofItemAtPath: host + "/var/secret")
        try FileManager.default.createDirectory(atPath: host + "/usr/bin", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: host + "/bin", withDestinationPath: "usr/bin")
        let tree = try Self.tree(
            [
                Self.generated("/var/secret/f", "1"), Self.generated("/new/f", "2"), Self.generated("/usr/bin/x", "3"),
            ], fixture)
        #expect(tree[try TreePath("/var/secret")]?.metadata.mode == 0o710)
        #expect(tree[try TreePath("/new")]?.metadata == Metadata(mode: 0o755))
        #expect(tree[try TreePath("/bin")]?.kind == .symlink(target: "usr/bin"))
    }

    @Test func everythingButTheHostsFilesHasTheTimeOfTheNewest() throws {
        let fixture = try KitFixture()
        let source = fixture.directory.path + "/source"
        try Data("x".utf8).write(to: URL(fileURLWithPath: source))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 5000.75)], ofItemAtPath: source)
        let status = try Files.status(ByteString(source))
        let file = PlannedEntry(
            try TreePath("/opt/x"), .file(source: ByteString(source), SourceState(status)), .file("x"))
        let tree = try Self.tree(
            [file, Self.generated("/opt/g", "g"), Self.node("/opt/l", .symlink(target: "x"))], fixture)
        #expect(Set(tree.entries.map(\.metadata.modified)) == [Timestamp(seconds: 5000)])
    }

    @Test func aFileThatWasReplacedSinceThePlanIsNotTaken() throws {
        let fixture = try KitFixture()
        let source = ByteString(fixture.directory.path + "/source")
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(source)"))
        let other = FileStatus(
            kind: .regular, permissions: 0o644, size: 1, identity: FileIdentity(device: 1, inode: 2))
        let file = PlannedEntry(try TreePath("/x"), .file(source: source, SourceState(other)), .file("x"))
        #expect { try Self.tree([file], fixture) } throws: {
            if case LayerStoreError.sourceChanges(source) = $0 { true } else { false }
        }
    }
}
