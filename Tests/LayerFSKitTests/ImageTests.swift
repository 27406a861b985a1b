import Bytes
import Digests
import Foundation
import ImageTransport
import LayerStore
import OCI
import Testing
import Trees

@testable import LayerFSKit

struct ImageTests {
    @Test func settingsOfAnImageAreOverriddenOneByOne() {
        var base = ImageSettings()
        base.command = ["a"]
        base.environment = ["A=1", "B=2"]
        base.labels = ["x": "1"]
        var other = ImageSettings()
        other.environment = ["B=3", "C=4"]
        other.labels = ["y": "2"]
        other.workingDirectory = "/w"
        let result = base.overridden(by: other)
        #expect(result.environment == ["A=1", "B=3", "C=4"])
        #expect(result.labels == ["x": "1", "y": "2"])
        #expect(result.command == ["a"] && result.workingDirectory == "/w")
        other.entrypoint = ["e"]
        #expect(base.overridden(by: other).command == [])
    }

    @Test func anImageOfAnImageTakesItsSettingsAndLayers() throws {
        let fixture = try KitFixture()
        try fixture.add("a", ["/a": .file("1")])
        try fixture.add("b", ["/b": .file("2")])
        var settings = ImageSettings()
        settings.command = ["/a"]
        let compose = ComposeImage(fixture.workspace)
        _ = try compose.run(RootExpression("a"), as: Name("i"), settings: settings, onConflict: nil)
        #expect(try fixture.workspace.select(RootExpression("i")).settings.command == ["/a"])
        let selection = try fixture.workspace.select(RootExpression("i+b+a")).withoutRepetitions
        #expect(selection.layers.map(\.name) == ["a", "b"])
        #expect(selection.settings.command == ["/a"])
        #expect { try fixture.workspace.select(RootExpression("a+zz")) } throws: {
            if case LayerFSError.noSuchName = $0 { true } else { false }
        }
    }

    @Test(arguments: [ConflictPolicy.first, .last])
    func anImageSettlesItsOwnConflictsWhereverItIsStacked(_ policy: ConflictPolicy) throws {
        let fixture = try KitFixture()
        try fixture.add("a", ["/same": .file("1"), "/a": .file("a")])
        try fixture.add("b", ["/same": .file("2"), "/b": .file("b")])
        try fixture.add("c", ["/c": .file("c")])
        try fixture.add("d", ["/same": .file("3")])
        let compose = ComposeImage(fixture.workspace)
        _ = try compose.run(RootExpression("a+b"), as: Name("i"), settings: ImageSettings(), onConflict: policy)
        _ = try compose.run(RootExpression("i+c"), as: Name("j"), settings: ImageSettings(), onConflict: nil)
        let expected = Digest(hashing: Array((policy == .first ? "1" : "2").utf8))
        for expression in ["i", "i+c", "j", "c+i", "j+c"] {
            let tree = try fixture.workspace.compose(fixture.workspace.select(RootExpression(expression))).tree
            #expect(tree[try TreePath("/same")]?.kind == .file(digest: expected, size: 1), "\(expression)")
        }
        // With others it disagrees like any layer.
        #expect(throws: CompositionError.self) {
            try fixture.workspace.compose(fixture.workspace.select(RootExpression("i+d")))
        }
    }

    @Test func layersForDifferentMachinesNeedAChoice() throws {
        let fixture = try KitFixture()
        try fixture.add("a", ["/a": .file("1")], platform: "linux/amd64")
        try fixture.add("b", ["/b": .file("2")], platform: "linux/arm64")
        let compose = ComposeImage(fixture.workspace)
        #expect {
            try compose.run(RootExpression("a+b"), as: nil, settings: ImageSettings(), onConflict: nil)
        } throws: {
            if case LayerFSError.mixedPlatforms(["linux/amd64", "linux/arm64"]) = $0 { true } else { false }
        }
        var settings = ImageSettings()
        settings.platform = "linux/arm64"
        _ = try compose.run(RootExpression("a+b"), as: Name("i"), settings: settings, onConflict: nil)
    }

    /// If this fails, layerfs makes other images of the same roots than it did before: every user's digests change.
    @Test func aFixedRootHasFixedDigests() throws {
        let fixture = try KitFixture()
        try fixture.add(
            "a", ["/usr/bin/tool": .file("#!/bin/sh\n", mode: 0o755, time: 1_700_000_000), "/bin": .link("usr/bin")],
            platform: "linux/amd64")
        try fixture.add("b", ["/usr/share/text": .file("text\n", time: 1_600_000_000)])
        var options = ExportImage.Options()
        // Without compression: the bytes of deflate depend on the version of zlib.
        options.compression = Compression.none
        let result = try ExportImage(fixture.workspace).run(
            RootExpression("a+b"), to: .layout(fixture.path("image")), options)
        #expect(
            result.diffIDs == [
                "sha256:7890ab6b8743c600c09d0931f52cec21ecc6f0a30848b7ac46259ee599ecbde1",
                "sha256:f0ca00d10be35d087ef91052cfc2cfa76d2395abda4d67a7e6b702caa5ad41a6",
            ])
        #expect(
            result.manifest.map { "\($0.digest)" }
                == "sha256:d2bca804de5552fa1d4c7d52c671462c1790b053ddc30990224cdb640f6f4a45")
        #expect(
            result.configuration.map { "\($0.digest)" }
                == "sha256:628c9c117f34e5a49d42c093d8da27402f058b5b383a97c42fc6cdf0c2901d80")
    }

    @Test func timesAreClampedToTheSourceDateEpoch() throws {
        let fixture = try KitFixture(sourceDateEpoch: Timestamp(seconds: 500))
        try fixture.add("a", ["/late": .file("1", time: 1_000), "/early": .file("2", time: 100)])
        let result = try ExportImage(fixture.workspace).run(
            RootExpression("a"), to: .layout(fixture.path("image")), ExportImage.Options())
        let image = try #require(try ImageVerifier.verify(directory: fixture.path("image")).first)
        #expect(image.entries[try TreePath("/late")]?.metadata.modified.seconds == 500)
        #expect(image.entries[try TreePath("/early")]?.metadata.modified.seconds == 100)
        #expect(image.configuration.created == "1970-01-01T00:08:20Z")
        #expect(image.descriptor.digest == result.manifest?.digest)
    }

    @Test(arguments: ExportImage.LayerForm.allCases)
    func everyFormUnpacksToTheSameTree(_ form: ExportImage.LayerForm) throws {
        let fixture = try KitFixture()
        try fixture.add("a", ["/usr/lib/shared": .file("s"), "/lib": .link("usr/lib"), "/a": .file("a")])
        try fixture.add("b", ["/lib/shared": .file("s"), "/lib/own": .file("b")])
        try fixture.add("c", ["/a": .file("a")])
        var options = ExportImage.Options()
        options.form = form
        let result = try ExportImage(fixture.workspace).run(
            RootExpression("a+b+c"), to: .layout(fixture.path("image")), options)
        #expect(result.layers.count == [.diff: 2, .full: 3, .flat: 1][form])
        let image = try #require(try ImageVerifier.verify(directory: fixture.path("image")).first)
        let tree = try fixture.workspace.compose(fixture.workspace.select(RootExpression("a+b+c"))).tree
        #expect(image.entries.count == tree.entries.count - 1)
    }

    @Test(arguments: [
        ("shell", "shell"), ("bash+ls", "bash-ls"), ("Shell:V1", "shell:V1"), ("team/shell:1.0", "team/shell:1.0"),
        ("localhost:5000/shell:1", "localhost:5000/shell:1"),
    ])
    func anExpressionBecomesANameThatEnginesTake(_ text: String, _ name: String) throws {
        #expect(try ExportName(text).image.description == name)
    }
}
