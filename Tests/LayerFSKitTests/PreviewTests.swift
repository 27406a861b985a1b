import Bytes
import Foundation
import LayerStore
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

struct PreviewTests {
    @Test func aPreviewSaysWhatAddingThenCosts() throws {
        let fixture = try SourceFixture("mkdir d; echo 1 > d/a; echo 1 > d/b; echo 22 > d/c; : > d/empty; ln -s a d/l")
        let layers = try PlanLayers(searchPath: []).run(
            fixture.request { $0.directories = [try fixture.mapping("@/d:/d")] })
        let absent = try PreviewLayers(nil).run(layers)[0]
        #expect(absent.cost == LayerCost([]) { _ in true }.adding(contents: 2, bytes: 5, new: 2, newBytes: 5))
        #expect(absent.newPaths.map(\.description).sorted() == ["/d/a", "/d/c"])
        let added = try AddLayers(fixture.kit.workspace).run(layers)[0]
        #expect(added.cost == absent.cost && added.tree == absent.tree)
        let again = try PreviewLayers(fixture.kit.workspace).run(layers)[0]
        #expect(again.cost.newContents == 0 && again.cost.bytes == 5 && again.newPaths.isEmpty)
    }

    @Test func whatTwoLayersShareIsNewOnce() throws {
        let fixture = try SourceFixture("echo 1 > a")
        var layers = try PlanLayers(searchPath: []).run(fixture.request { $0.files = [try fixture.mapping("@/a:/a")] })
        layers.append(layers[0])
        let previews = try PreviewLayers(fixture.kit.workspace).run(layers)
        #expect(previews.map(\.cost.newContents) == [1, 0])
    }

    @Test func nothingIsWritten() throws {
        let fixture = try SourceFixture("echo 1 > a")
        let layers = try PlanLayers(searchPath: []).run(fixture.request { $0.files = [try fixture.mapping("@/a:/a")] })
        let before = try fixture.kit.directory.contents("store")
        _ = try PreviewLayers(fixture.kit.workspace).run(layers)
        #expect(try fixture.kit.directory.contents("store") == before)
    }

    @Test func conflictsAndWhatIsMissingAreSaidAsByAdding() throws {
        let fixture = try SourceFixture("echo 1 > a; echo 2 > b")
        let layers = try PlanLayers(searchPath: []).run(
            fixture.request { $0.files = try [fixture.mapping("@/a:/x"), fixture.mapping("@/b:/x")] })
        #expect(throws: LayerFSError.self) { try PreviewLayers(nil).run(layers) }
        try fixture.run("rm a")
        #expect(throws: LayerStoreError.self) { try PreviewLayers(nil).run(layers) }
    }
}

extension LayerCost {
    fileprivate func adding(contents: Int, bytes: UInt64, new: Int, newBytes: UInt64) -> LayerCost {
        var cost = self
        (cost.contents, cost.bytes, cost.newContents, cost.newBytes) = (contents, bytes, new, newBytes)
        return cost
    }
}
