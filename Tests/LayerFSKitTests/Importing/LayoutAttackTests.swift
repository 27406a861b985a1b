import Bytes
import Digests
import Foundation
import ImageTransport
import OCI
import TestSupport
import Testing
import Trees

@testable import LayerFSKit

/// Layouts whose documents and blobs lie.
@Suite struct LayoutAttackTests {
    let fixture: ImportFixture

    init() throws { fixture = try ImportFixture() }

    /// Has `change` spoil a layout and expects it to be refused.
    private func expectRefused(
        sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout LayoutBuilder) throws -> Void
    ) throws {
        try? FileManager.default.removeItem(atPath: fixture.kit.directory.path + "/layout")
        var layout = try LayoutBuilder(fixture.kit.directory)
        try layout.layer([.file("a", "x")])
        try layout.finish()
        try change(&layout)
        #expect(throws: (any Error).self, sourceLocation: sourceLocation) { try fixture.importLayout() }
        try fixture.expectSound(sourceLocation: sourceLocation)
    }

    @Test(
        "every blob that differs in digest or size is refused", arguments: ["manifest", "config", "layer"],
        [true, false])
    func damage(part: String, sameSize: Bool) throws {
        try expectRefused { layout in
            let entry = try layout.finish()
            let manifest = try Manifest(parsing: Array(Data(contentsOf: URL(fileURLWithPath: layout.path(of: entry)))))
            let descriptor = ["manifest": entry, "config": manifest.config][part] ?? manifest.layers[0]
            let path = try layout.path(of: descriptor)
            var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
            // White space keeps JSON the same document.
            if sameSize { bytes[part == "layer" ? 600 : bytes.count - 1] ^= 1 } else { bytes.append(0x20) }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
    }

    @Test("a size in a descriptor that is not the blob's is refused", arguments: [-1, 1, 1 << 40]) func sizeLies(
        difference: Int64
    ) throws {
        try expectRefused { layout in
            layout.layers[0].size += difference
            try layout.finish()
        }
    }

    @Test(
        "a digest that is no digest is never a path",
        arguments: [
            "sha256:../../../../canary", "../../canary:00", "sha256:/etc/passwd", "sha256:",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "sha256:" + String(repeating: "A", count: 64), "sha256:" + String(repeating: "a", count: 63),
            "sha512:" + String(repeating: "a", count: 128), "sha256:..%2f" + String(repeating: "a", count: 58), "",
        ])
    func digests(text: String) throws {
        try expectRefused { layout in
            let json =
                #"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\#(text)","size":1}]}"#
            try layout.write("index.json", Array(json.utf8))
        }
    }

    @Test("a document of two kinds, or of another than is said, is refused") func confusion() throws {
        try expectRefused { layout in
            var json = String(
                decoding: try Manifest(
                    config: layout.blob(.imageConfiguration, layout.configuration), layers: layout.layers
                ).canonicalBytes, as: UTF8.self)
            json.removeLast()
            let both = json + #","manifests":[]}"#
            try layout.index([layout.blob(.imageManifest, Array(both.utf8))])
        }
        try expectRefused { layout in
            var entry = try layout.manifest()
            entry.mediaType = .dockerManifest
            try layout.index([entry])
        }
        try expectRefused { layout in
            var entry = try layout.manifest()
            entry.mediaType = .imageIndex
            try layout.index([entry])
        }
        try expectRefused { layout in
            layout.layers[0].mediaType = .imageConfiguration
            try layout.finish()
        }
    }

    @Test("diffIDs that are wrong, too many or too few are refused") func diffIDs() throws {
        try expectRefused { layout in
            layout.diffIDs = [DiffID(.empty)]
            try layout.finish()
        }
        try expectRefused { layout in
            layout.diffIDs += layout.diffIDs
            try layout.finish()
        }
        try expectRefused { layout in
            layout.diffIDs = []
            try layout.finish()
        }
    }

    @Test("indexes in indexes, and too many layers, end in an error") func sizes() throws {
        try expectRefused { layout in
            var entry = try layout.manifest()
            for _ in 0..<2_000 {
                entry = try layout.blob(.imageIndex, ImageIndex(manifests: [entry]).canonicalBytes)
            }
            try layout.index([entry])
        }
        try expectRefused { layout in
            // Each names the one before a hundred times.
            var entry = try layout.manifest()
            for _ in 0..<7 {
                entry = try layout.blob(
                    .imageIndex, ImageIndex(manifests: [Descriptor](repeating: entry, count: 100)).canonicalBytes)
            }
            try layout.index([entry])
        }
        try expectRefused { layout in
            layout.layers = [Descriptor](repeating: layout.layers[0], count: 10_000)
            layout.diffIDs = [DiffID](repeating: layout.diffIDs[0], count: 10_000)
            try layout.finish()
        }
        try expectRefused { layout in
            try layout.write("index.json", [UInt8](repeating: UInt8(ascii: "["), count: 200_000))
        }
        try expectRefused { layout in try layout.write("index.json", [UInt8](repeating: 0x20, count: 5 << 20)) }
    }

    @Test("a blob, or its directory, that is a link, a fifo or a directory is not read") func links() throws {
        let manager = FileManager.default
        try expectRefused { layout in
            let path = try layout.path(of: layout.layers[0])
            try manager.moveItem(atPath: path, toPath: layout.place + "/elsewhere")
            try manager.createSymbolicLink(atPath: path, withDestinationPath: layout.place + "/elsewhere")
        }
        try expectRefused { layout in
            try manager.removeItem(atPath: layout.path(of: layout.layers[0]))
            try manager.createDirectory(atPath: layout.path(of: layout.layers[0]), withIntermediateDirectories: false)
        }
        try expectRefused { layout in
            try? manager.removeItem(atPath: layout.path(of: layout.layers[0]))
            try Tool.succeed("mkfifo", [layout.path(of: layout.layers[0])])
        }
        try expectRefused { layout in
            try manager.moveItem(atPath: layout.place + "/blobs", toPath: layout.place + "/b")
            try manager.createSymbolicLink(atPath: layout.place + "/blobs", withDestinationPath: "b")
        }
    }

    @Test(
        "a name from inside is neither a path nor replaces anything",
        arguments: ["../../canary", "a\nb", "\u{1b}[2J", "a b", String(repeating: "n", count: 300)])
    func names(text: String) throws {
        var layout = try LayoutBuilder(fixture.kit.directory)
        try layout.layer([.file("a", "x")])
        try layout.finish(name: text)
        #expect(throws: LayerFSError.self) { try fixture.importLayout { $0.name = nil } }
        try fixture.expectSound()
    }

    @Test("a name that stands for something else is not taken over silently") func taken() throws {
        try fixture.kit.add("imported", ["/a": .file("mine")])
        var layout = try LayoutBuilder(fixture.kit.directory)
        try layout.layer([.file("a", "theirs")])
        try layout.finish(name: "imported")
        #expect(throws: (any Error).self) { try fixture.importLayout { $0.name = nil } }
        try fixture.expectSound(names: ["imported"])
        #expect(try fixture.listing() == ["/a: mine"])
    }

    @Test("a layer that is not there is not fetched from where a manifest says") func foreign() throws {
        try expectRefused { layout in
            layout.layers[0].urls = ["http://127.0.0.1:9/layer"]
            try FileManager.default.removeItem(atPath: layout.path(of: layout.layers[0]))
            try layout.finish()
        }
    }
}
