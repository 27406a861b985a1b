import Bytes
import Foundation
import LayerStore
import Posix
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

/// Compositions that only a made-up store has; how the program behaves is tested where programs are.
struct MountTests {
    private static let canMount = isRoot || ProcessInfo.processInfo.environment["CI"] != nil

    /// Mounts `expression` and compares what is seen with the composed tree.
    private func check(_ expression: String, in fixture: KitFixture, layers: Int) throws {
        let expression = try RootExpression(expression)
        let point = fixture.directory.path + "/point"
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
        defer { MountedFileSystem.unmountAll(below: fixture.directory.path) }
        let summary = try MountRoot(fixture.workspace).run(expression, at: ByteString(point))
        #expect(summary.layers == layers)
        let tree = try fixture.workspace.compose(fixture.workspace.select(expression)).tree
        let found = try DirectoryTree(ByteString(point)).read(.none)
        #expect(TreeComparison(from: tree, to: found).differences.map { "\($0)" } == [])
        #expect(found.entries.count == tree.entries.count)
        try UnmountRoot().run(at: ByteString(point))
    }

    @Test(.enabled(if: canMount, "not root"))
    func whatLayersRemoveIsNotThereAndWhatTheyPutInItsPlaceIs() throws {
        let fixture = try KitFixture()
        try fixture.add(
            "a",
            [
                "/d/x": .file("x"), "/d/y": .file("y"), "/d/sub/old": .file("old"), "/gone/deep/f": .file("f"),
                "/file": .file("file"), "/kept": .file("kept"), "/open/one": .file("1"), "/open/two/f": .file("2"),
            ])
        try fixture.add(
            "b",
            [
                "/d/x": .whiteout, "/gone": .whiteout, "/file": .whiteout, "/open/.wh..wh..opq": .whiteout,
                "/open/two/new": .file("new"), "/d/z": .link("y"),
            ])
        try fixture.add(
            "c", ["/gone": .file("a file now"), "/file/in": .file("a directory now"), "/d/x": .file("again")])
        try check("a+b", in: fixture, layers: 2)
        try check("a+b+c", in: fixture, layers: 3)
        try check("b", in: fixture, layers: 1)
    }

    @Test(.enabled(if: canMount, "not root"))
    func moreLayersThanOptionsHaveRoomForAreMerged() throws {
        let fixture = try KitFixture()
        let limit = Overlay.capacity(nameLength: RootCache.nameLength)
        let names = (0..<limit + 5).map { "layer\($0)" }
        for name in names { try fixture.add(name, ["/all/\(name)": .file(name), "/\(name)/f": .file("f")]) }
        try check(names.joined(separator: "+"), in: fixture, layers: limit)
        try check(names.prefix(limit).joined(separator: "+"), in: fixture, layers: limit)
    }

    @Test(.enabled(if: canMount, "not root"))
    func setuidFilesDirectoriesWithoutRightsAndAnEmptyRootAreShownAsTheyAre() throws {
        let fixture = try KitFixture()
        try fixture.add("a", MaterializeTests.items)
        try fixture.add("empty", [:])
        try check("a", in: fixture, layers: 1)
        try check("empty", in: fixture, layers: 1)
    }

    @Test func anAttributeThatAnOverlayActsOnIsRefused() throws {
        let fixture = try KitFixture()
        let attribute = ExtendedAttribute(name: "trusted.overlay.opaque", value: "y")
        try fixture.add("a", ["/d": .attributed(attribute)])
        let point = fixture.path("point")
        try FileManager.default.createDirectory(atPath: point.description, withIntermediateDirectories: false)
        #expect {
            _ = try MountRoot(fixture.workspace).run(RootExpression("a"), at: point)
        } throws: { error in
            switch error {
            case LayerFSError.overlayAttribute(attribute.name, _): isRoot
            case LayerFSError.mountNotPermitted: !isRoot
            default: false
            }
        }
    }
}
