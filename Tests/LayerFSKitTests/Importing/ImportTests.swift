import Bytes
import Digests
import Foundation
import ImageTransport
import LayerStore
import OCI
import Posix
import Tar
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

@Suite struct ImportTests {
    let fixture: ImportFixture

    init() throws { fixture = try ImportFixture() }

    private func export(
        _ expression: String = "imported", _ change: (inout ExportImage.Options) -> Void = { _ in }
    ) throws -> ExportImage.Result {
        var options = ExportImage.Options()
        options.name = "exported"
        change(&options)
        try? FileManager.default.removeItem(atPath: fixture.kit.directory.path + "/out")
        return try ExportImage(fixture.kit.workspace).run(
            RootExpression(expression), to: .layout(fixture.kit.path("out")), options)
    }

    /// Layers that remove, replace and link what is below.
    private func layout(_ name: String = "layout") throws -> LayoutBuilder {
        var layout = try LayoutBuilder(fixture.kit.directory, name)
        try layout.layer([
            .directory("usr"), .directory("usr/bin"), .link("bin", "usr/bin"),
            .file("usr/bin/sh", "shell", mode: 0o755),
            .hardLink("usr/bin/bash", "usr/bin/sh"), .directory("d"), .file("d/a", "a"), .file("d/b", "b"),
            .directory("d/s"),
            .file("d/s/deep", "deep"), .directory("t", mode: 0o1777),
            Member(
                name: "ping", kind: .file(size: 1), content: [1], mode: 0o755,
                attributes: [.init(name: "security.capability", value: ByteString([1, 0, 0, 2, 0, 0x20, 0, 0]))]),
        ])
        try layout.layer([
            .directory("d"), .file("d/.wh.a"), .file("d/.wh.s"), .directory("d/s"), .file("d/s/new", "new"),
            // Through the link of the layer below, without the directories of its own.
            .file("bin/more", "more"), .file("t/in-sticky", "x"), .hardLink("across", "usr/bin/sh"),
        ])
        try layout.layer([
            .directory("usr"), .directory("usr/bin"), .file("usr/bin/.wh..wh..opq"), .file("usr/bin/only", "only"),
        ])
        return layout
    }

    @Test("whiteouts, opaque directories, links and hard links mean what they mean to engines") func meaning() throws {
        try layout().finish()
        try fixture.importLayout()
        #expect(
            try fixture.listing() == [
                "/across: shell", "/bin -> usr/bin", "/d/", "/d/b: b", "/d/s/", "/d/s/new: new", "/ping: \u{1}", "/t/",
                "/t/in-sticky: x", "/usr/", "/usr/bin/", "/usr/bin/only: only",
            ])
        // The directory that the second layer only has something in is as the first has it.
        #expect(try fixture.tree()[TreePath("/t")]?.metadata.mode == 0o1777)
        #expect(
            try fixture.tree()[TreePath("/ping")]?.metadata.extendedAttributes.map(\.name) == ["security.capability"])
        try fixture.expectSound(names: ["imported"])
    }

    @Test("an export gives the same image back") func lossless() throws {
        let entry = try layout().finish(name: "1.0")
        let first = try #require(try fixture.importLayout().first)
        #expect(first.cost.newContents == first.cost.contents && first.recompressed == 0)
        #expect(try export().manifest?.digest == entry.digest)
        try fixture.expectSound(names: ["imported"])
    }

    @Test("importing again costs nothing and changes nothing") func again() throws {
        try layout().finish()
        try fixture.importLayout()
        let second = try #require(try fixture.importLayout().first)
        #expect(second.outcome == .unchanged && second.cost.newContents == 0)
    }

    @Test("a name that is taken leaves nothing of the image behind") func nameTaken() throws {
        try layout().finish()
        try fixture.importLayout()
        let blobs = fixture.kit.directory.path + "/store/blobs"
        let before = try FileManager.default.subpathsOfDirectory(atPath: blobs).sorted()
        #expect(!before.isEmpty)
        var other = try LayoutBuilder(fixture.kit.directory, "other")
        try other.layer([.file("f", "of another image")])
        try other.finish()
        #expect(throws: LayerStoreError.self) { try fixture.importLayout("other") }
        #expect(try FileManager.default.subpathsOfDirectory(atPath: blobs).sorted() == before)
    }

    @Test("an image that is there already heals what was damaged and what is gone, and leaves no record behind")
    func healing() throws {
        try layout().finish()
        try fixture.importLayout()
        let blobs = fixture.kit.directory.path + "/store/blobs/sha256/"
        func names() throws -> [String] {
            try FileManager.default.subpathsOfDirectory(atPath: blobs).filter { $0.utf8.count > 60 }.sorted()
        }
        let before = try names()
        func path(_ content: String) -> String {
            let digits = Digest(hashing: Array(content.utf8)).hexadecimal
            return blobs + digits.prefix(2) + "/" + digits.dropFirst(2)
        }
        try Data("shelL".utf8).write(to: URL(fileURLWithPath: path("shell")))
        try FileManager.default.removeItem(atPath: path("only"))
        #expect(try #require(try fixture.importLayout().first).outcome == .unchanged)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path("shell"))) == Data("shell".utf8))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path("only"))) == Data("only".utf8))
        #expect(try names() == before)
    }

    @Test("an image composed of an imported one keeps its layers, and adds to them") func composed() throws {
        try layout().finish()
        let imported = try #require(try fixture.importLayout().first)
        try fixture.kit.add("tool", ["/usr/bin/tool": .file("tool", mode: 0o755)])
        let result = try export("imported+tool")
        #expect(Array(result.diffIDs.prefix(3)) == imported.diffIDs)
        #expect(result.diffIDs.count == 4)
        #expect(try fixture.listing("imported+tool").contains("/usr/bin/tool: tool"))
        // As a named image, too.
        _ = try ComposeImage(fixture.kit.workspace).run(
            RootExpression("imported+tool"), as: Name("both"), settings: ImageSettings(), onConflict: nil)
        #expect(try export("both").diffIDs == result.diffIDs)
    }

    @Test("compressed anew, the tars and the configuration stay") func recompressed() throws {
        let layout = try layout()
        try layout.finish()
        let imported = try #require(try fixture.importLayout().first)
        let result = try export { $0.recompresses = true }
        #expect(result.diffIDs == imported.diffIDs)
        #expect(result.layers.map(\.mediaType) == [.layerTarGzip, .layerTarGzip, .layerTarGzip])
        #expect(try result.configuration?.digest == .sha256(Digest(hashing: layout.configuration)))
    }

    @Test(
        "layers of every compression are read by their content, and given back as they were where that is known or kept",
        .enabled(if: ["gzip", "zstd", "xz"].allSatisfy { Tool.isAvailable($0) }, "no gzip, zstd or xz"),
        arguments: ["gzip", "zstd", "xz"], [true, false])
    func compression(tool: String, keep: Bool) throws {
        var layout = try LayoutBuilder(fixture.kit.directory)
        let plain = try layout.layer([.file("a", String(repeating: "text ", count: 30_000))])
        let bytes = try Tool.succeed(tool, ["-c", layout.path(of: plain)]).output
        // The type says gzip whatever it is: the first bytes decide.
        layout.layers = [try layout.blob(.layerTarGzip, bytes)]
        let entry = try layout.finish()
        let imported = try #require(try fixture.importLayout { $0.keepsCompressed = keep }.first)
        let result = try export()
        #expect(result.diffIDs == imported.diffIDs)
        if keep || imported.recompressed == 0 { #expect(result.manifest?.digest == entry.digest) }
        #expect(imported.recompressed == (keep ? 0 : imported.recompressed))
        try fixture.expectSound(names: ["imported"])
    }

    @Test("what zlib or layerfs compressed needs no kept bytes") func knownEncodings() throws {
        try fixture.kit.add("own", ["/usr/bin/x": .file(String(repeating: "x", count: 5_000), mode: 0o755)])
        let exported = try export("own")
        try FileManager.default.moveItem(
            atPath: fixture.kit.directory.path + "/out", toPath: fixture.kit.directory.path + "/layout")
        let imported = try #require(try fixture.importLayout().first)
        #expect(imported.recompressed == 0 && imported.cost.newContents == 0)
        #expect(try export().manifest?.digest == exported.manifest?.digest)
        let image = try fixture.store.imageRecord(#require(try fixture.store.lookUp(Name("imported"))).record)
        #expect(try fixture.store.layerRecord(image.layers[0].record).skeleton == nil)
    }

    @Test("a tar becomes a layer whose export has the tar's digest", arguments: [0, 512, 10_240]) func tars(
        filling: Int
    ) throws {
        let tar =
            try Member.tar([.file("z", "z"), .directory("a"), .file("a/x", "x"), .file("z", "again")])
            + [UInt8](repeating: 0, count: filling)
        let summary = try fixture.importTar(tar)
        #expect(summary.diffIDs == [Digest(hashing: tar).description])
        let exported = try export { $0.compression = Compression.none }
        #expect(exported.diffIDs == summary.diffIDs)
        #expect(exported.layers.map(\.digest) == [.sha256(Digest(hashing: tar))])
        // The content that only the tar has, since a later member has its path, is kept as well.
        #expect(try fixture.store.blobs.size(of: Digest(hashing: Array("z".utf8))) == 1)
        // Other bytes under the same name, though the tree is the same, are no repetition.
        #expect(throws: LayerStoreError.self) { try fixture.importTar(tar + [UInt8](repeating: 0, count: 512)) }
        try fixture.expectSound(names: ["imported"])
    }

    @Test(
        "garbage collection keeps what only a skeleton or an image's original needs, and fsck misses it when it is gone"
    )
    func collection() throws {
        let directory = try TemporaryDirectory()
        let path = ByteString(directory.path + "/store")
        let layout = try layout()
        try layout.finish()
        func workspace(_ access: Store.Access) throws -> Workspace {
            try Workspace(store: path, access, sourceDateEpoch: nil)
        }
        var options = ImportOptions()
        options.name = try Name("imported")
        let place = ImageLocation(.oci, fixture.kit.path("layout"))
        _ = try ImportImages(workspace(.adding)).run(place, options, scratch: "/tmp")
        let report = try CollectGarbage(workspace(.collecting)).run()
        #expect(report.blobs.count == 0)
        _ = try workspace(.reindexing)
        #expect(try CheckStore(workspace(.reading)).run().damages.isEmpty)
        // Not longer than needed: a store that is open cannot be collected.
        func digests() throws -> [Digest] {
            let store = try workspace(.reading).store
            let image = try store.imageRecord(#require(try store.lookUp(Name("imported"))).record)
            let skeleton = try #require(try store.skeleton(of: store.layerRecord(image.layers[1].record)))
            return [skeleton.others, image.original?.configuration ?? .empty, image.original?.manifest ?? .empty]
        }
        for digest in try digests() {
            let blob = directory.path + "/store/blobs/sha256/\(BlobPath.of(digest))"
            try FileManager.default.moveItem(atPath: blob, toPath: blob + "-away")
            let damages = try CheckStore(workspace(.reading)).run().damages.filter { $0.kind == .missing }
            #expect(damages.map(\.digest) == [digest.description])
            #expect(damages.first.map { $0.images == ["imported"] } == true)
            try FileManager.default.moveItem(atPath: blob + "-away", toPath: blob)
        }
        _ = try workspace(.changing).store.remove(Name("imported"))
        #expect(try CollectGarbage(workspace(.collecting)).run().live == 0)
    }

    @Test("of an image for several platforms one is taken, or each") func platforms() throws {
        var entries: [Descriptor] = []
        var layout = try LayoutBuilder(fixture.kit.directory)
        for (platform, text) in [("linux/arm64", "arm"), ("linux/amd64", "amd"), ("linux/arm/v7", "v7")] {
            (layout.layers, layout.diffIDs, layout.platform) = ([], [], platform)
            try layout.layer([.file("which", text)])
            var entry = try layout.manifest()
            entry.platform = try Platform(parsing: platform)
            entries.append(entry)
        }
        // BuildKit's attestations are no images.
        var attestation = try layout.blob(.imageManifest, Array("{}".utf8))
        attestation.platform = Platform(os: "unknown", architecture: "unknown")
        var index = try layout.blob(.imageIndex, ImageIndex(manifests: entries + [attestation]).canonicalBytes)
        index.annotations[AnnotationKey.referenceName] = "many"
        try layout.index([index])
        try fixture.importLayout("layout", "many") { $0.platforms = .only(Platform(architecture: "amd64")) }
        #expect(try fixture.listing() == ["/which: amd"])
        #expect(throws: TransportError.self) {
            try fixture.importLayout("layout", nil) { $0.platforms = .only(Platform(architecture: "s390x")) }
        }
        let all = try fixture.importLayout("layout", nil) { $0.platforms = .all }
        #expect(all.map(\.name.text) == ["imported-linux-arm64", "imported-linux-amd64", "imported-linux-arm-v7"])
        #expect(try fixture.listing("imported-linux-arm-v7") == ["/which: v7"])
        #expect(throws: TransportError.self) { try fixture.importLayout("layout", "nothing") }
    }

    @Test("the configuration is that of the image") func settings() throws {
        try layout().finish()
        try fixture.importLayout()
        let shown = try ShowRoot(fixture.kit.workspace).run(RootExpression("imported"))
        #expect(shown.command == ["/x"] && shown.environment.contains("A=b"))
        #expect(shown.layers.map(\.name) == ["imported.1", "imported.2", "imported.3"])
    }

    @Test("127 layers, and trees 200 levels deep") func sizes() throws {
        var layout = try LayoutBuilder(fixture.kit.directory)
        let deep = (0..<200).map { "d\($0)" }.joined(separator: "/")
        try layout.layer([.file(ByteString(deep + "/f"), "deep")])
        for number in 1..<127 {
            try layout.layer([.file("last", "\(number)"), .file(ByteString("f\(number)"), "\(number)")])
        }
        let entry = try layout.finish()
        let summary = try #require(try fixture.importLayout().first)
        #expect(summary.diffIDs.count == 127 && summary.entries == 1 + 201 + 127)
        #expect(try fixture.listing().contains("/last: 126"))
        #expect(try export().manifest?.digest == entry.digest)
    }

    @Test("a layer of 100,000 entries") func manyEntries() throws {
        let members = (0..<1_000).flatMap { directory in
            [Member.directory(ByteString("d\(directory)"))] + (0..<99).map { .file(ByteString("d\(directory)/f\($0)")) }
        }
        let tar = try Member.tar(members) + [UInt8](repeating: 0, count: 512)
        let summary = try fixture.importTar(tar)
        #expect(summary.entries == 100_001)
        #expect(try export { $0.compression = Compression.none }.diffIDs == [Digest(hashing: tar).description])
    }

    @Test(
        "sources are told by what they say and what they are",
        arguments: [
            ("oci:/x:1", ImportSource.image(ImageLocation(.oci, "/x", reference: "1"))), ("-", .tar("-")),
            ("tar:/x", .tar("/x")),
            ("dir:/x", .directory("/x")), ("/usr/bin", .directory("/usr/bin")), ("/etc/passwd", .tar("/etc/passwd")),
        ])
    func sources(text: String, expected: ImportSource) throws {
        #expect(try ImportSource(ByteString(text)) == expected)
    }

    @Test(arguments: ["docker://x", "oci:", "/no/such/file"]) func noSources(text: String) {
        #expect(throws: (any Error).self) { try ImportSource(ByteString(text)) }
    }

    @Test("a directory becomes a layer") func directory() throws {
        try FileManager.default.createDirectory(
            atPath: fixture.kit.directory.path + "/tree/sub", withIntermediateDirectories: true)
        try fixture.kit.directory.write("tree/sub/f", Array("f".utf8))
        var options = ImportOptions()
        options.name = try Name("imported")
        let summary = try ImportDirectory(fixture.kit.workspace, home: nil).run(fixture.kit.path("tree"), options)
        #expect(summary.kind == .layer)
        #expect(try fixture.listing() == ["/sub/", "/sub/f: f"])
    }

    @Test("of a directory everything keeps its time, and nothing of the host's is added") func exactDirectory() throws {
        let path = fixture.kit.directory.path + "/tree"
        let device = isRoot ? "mknod usr/bin/null c 1 3;" : ""
        let script = """
            set -e; mkdir -p '\(path)/usr/bin'; cd '\(path)'; echo f >usr/bin/f; ln -s f usr/bin/l; mkfifo usr/bin/p; \(device)
            touch -h -d @1000000000 usr/bin/*; touch -d @1100000000 usr/bin; touch -d @1200000000 usr
            """
        try Tool.succeed("sh", ["-c", script])
        var options = ImportOptions()
        options.name = try Name("imported")
        _ = try ImportDirectory(fixture.kit.workspace, home: nil).run(fixture.kit.path("tree"), options)
        let times = try fixture.tree().entries.dropFirst().map { "\($0.path) \($0.metadata.modified.seconds)" }
        let files = ["f", "l"] + (isRoot ? ["null"] : []) + ["p"]
        #expect(times == ["/usr 1200000000", "/usr/bin 1100000000"] + files.map { "/usr/bin/\($0) 1000000000" })
    }
}
