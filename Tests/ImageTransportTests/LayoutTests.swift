import Bytes
import Digests
import ImageTransport
import OCI
import Posix
import TestSupport
import Testing
import Trees

@Suite struct LayoutTests {
    let fixture: Fixture
    let folder: TemporaryDirectory

    init() throws {
        fixture = try Fixture()
        folder = try TemporaryDirectory()
    }

    func index(_ name: String) throws -> ImageIndex { try ImageIndex(parsing: folder.read(name + "/index.json")) }

    @Test("the layers applied one after the other are the union") func replay() throws {
        let image = try fixture.exporter().writeLayout(fixture.image, named: [], at: folder.at("image"))
        #expect(image.entries == fixture.union)
    }

    @Test("a layout has what the specification asks for, and nothing else") func structure() throws {
        let image = try fixture.exporter().writeLayout(
            fixture.image, named: [Reference(parsing: "shell:1.0")], at: folder.at("image"))
        let blobs = try ([image.descriptor, image.manifest.config] + image.manifest.layers).map {
            try "blobs/sha256/\($0.sha256().hexadecimal)"
        }
        #expect(
            try folder.contents()
                == (["image"]
                + (["blobs", "blobs/sha256", "index.json", "manifest.json", "oci-layout"] + blobs).map { "image/" + $0 })
                .sorted())
        #expect(try folder.read("image/oci-layout") == Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
        let entry = try index("image").manifests[0]
        #expect(
            entry.annotations == [
                "org.opencontainers.image.ref.name": "1.0", "io.containerd.image.name": "docker.io/library/shell:1.0",
            ])
        #expect(entry.platform == Platform(architecture: "amd64"))
        let docker = try DockerArchiveImage.parse(folder.read("image/manifest.json"))
        #expect(
            docker == [DockerArchiveImage(config: blobs[1], repositoryTags: ["shell:1.0"], layers: Array(blobs[2...]))])
        #expect(image.configuration.history.map(\.createdBy) == ["layerfs add lower", "layerfs add upper"])
        #expect(image.configuration.created == "2023-11-14T22:13:20Z")
    }

    @Test("a second image is added, one with the same tag is replaced, other entries stay") func adding() throws {
        let exporter = fixture.exporter()
        var other = fixture.image
        other.layers.removeLast()
        let first = try exporter.writeLayout(fixture.image, named: [Reference(parsing: "a:1")], at: folder.at("image"))
        let second = try exporter.writeLayout(
            other, named: [Reference(parsing: "ghcr.io/o/b:2"), Reference(parsing: "b:3")], at: folder.at("image"))
        #expect(try index("image").manifests.map { $0.annotations[AnnotationKey.referenceName] } == ["1", "2", "3"])
        #expect(
            try DockerArchiveImage.parse(folder.read("image/manifest.json")).map(\.repositoryTags) == [
                ["a:1"], ["ghcr.io/o/b:2", "b:3"],
            ])
        try exporter.writeLayout(other, named: [Reference(parsing: "a:1")], at: folder.at("image"))
        #expect(try index("image").manifests.map(\.digest) == [second, second, second].map(\.descriptor.digest))
        #expect(first.digest != second.digest)
        #expect(
            try ImageVerifier.verify(directory: folder.at("image")).map(\.digest)
                == [second, second, second].map(\.digest))
        #expect(try !folder.contents().contains { $0.contains(".layerfs-") })
    }

    @Test("a layout that is being written to is busy") func busy() throws {
        try fixture.exporter().writeLayout(fixture.image, named: [], at: folder.at("image"))
        let lock = try FileLock(Files.open(folder.at("image"), [.readOnly, .directory]), .exclusive)
        #expect(throws: TransportError.layoutBusy(folder.at("image"))) {
            try fixture.exporter().writeLayout(fixture.image, named: [], at: folder.at("image"))
        }
        _ = consume lock
    }

    @Test("what is no layout is not touched", arguments: ["file", "full", "no-header"]) func badTargets(kind: String)
        throws
    {
        let target = folder.at("target")
        switch kind {
        case "file": try folder.write("target", [1])
        default:
            try Files.open(folder.at(""), [.readOnly, .directory]).makeDirectory("target")
            try folder.write(kind == "full" ? "target/x" : "target/index.json", [1])
        }
        let before = try folder.contents()
        #expect(throws: TransportError.self) {
            try fixture.exporter().writeLayout(fixture.image, named: [], at: target)
        }
        #expect(try folder.contents() == before)
    }

    @Test("an empty directory becomes a layout") func emptyTarget() throws {
        try Files.open(folder.at(""), [.readOnly, .directory]).makeDirectory("target")
        try fixture.exporter().writeLayout(fixture.image, named: [], at: folder.at("target/"))
        #expect(try ImageVerifier.verify(directory: folder.at("target")).count == 1)
    }

    /// Gives half of a large content, then fails; or gives too many or too few bytes.
    struct Broken: ContentSource {
        enum Fault: CaseIterable { case failure, tooMany, tooFew }
        struct Failure: Error {}
        var contents: MemoryContents
        var fault: Fault

        func size(of digest: Digest) -> UInt64? { contents.size(of: digest) }

        func readContent(_ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            try contents.readContent(digest, size: size) { bytes in
                guard size > 1_000_000 else { return try body(bytes) }
                switch fault {
                case .failure:
                    try body(UnsafeRawBufferPointer(rebasing: bytes[..<500_000]))
                    throw Failure()
                case .tooMany:
                    try body(bytes)
                    try body(bytes)
                case .tooFew: try body(UnsafeRawBufferPointer(rebasing: bytes[1...]))
                }
            }
        }
    }

    @Test(
        "a content that cannot be read leaves nothing under the final name and nothing beside it",
        arguments: Broken.Fault.allCases)
    func failure(fault: Broken.Fault) throws {
        let exporter = ImageExporter(contents: Broken(contents: fixture.contents, fault: fault))
        #expect(throws: (any Error).self) { try exporter.writeLayout(fixture.image, named: [], at: folder.at("image")) }
        #expect(throws: (any Error).self) {
            try exporter.writeArchive(fixture.image, named: [], at: folder.at("archive"))
        }
        #expect(throws: (any Error).self) {
            try exporter.writeTar(fixture.image.layers[0].entries, at: folder.at("tar"))
        }
        #expect(try folder.contents() == [])
        try folder.write("archive", [1])
        #expect(throws: (any Error).self) {
            try exporter.writeArchive(fixture.image, named: [], at: folder.at("archive"))
        }
        #expect(try folder.read("archive") == [1])
    }

    @Test("a failed second export leaves the layout as it was") func failedAddition() throws {
        try fixture.exporter().writeLayout(fixture.image, named: [Reference(parsing: "a:1")], at: folder.at("image"))
        let before = try (folder.contents(), folder.read("image/index.json"), folder.read("image/manifest.json"))
        let exporter = ImageExporter(contents: Broken(contents: fixture.contents, fault: .failure))
        #expect(throws: Broken.Failure.self) {
            try exporter.writeLayout(fixture.image, named: [Reference(parsing: "a:1")], at: folder.at("image"))
        }
        #expect(try (folder.contents(), folder.read("image/index.json"), folder.read("image/manifest.json")) == before)
    }

    @Test("an image without layers, and a name that would be a whiteout, are refused") func refused() throws {
        var image = fixture.image
        image.layers[0].entries.append(
            Entry(path: try TreePath("/etc/.wh.x"), metadata: Metadata(mode: 0), kind: .fifo))
        #expect(throws: TransportError.reservedName(try TreePath("/etc/.wh.x"))) {
            try fixture.exporter().writeLayout(image, named: [], at: folder.at("image"))
        }
        image.layers = []
        #expect(throws: TransportError.noLayers) {
            try fixture.exporter().writeLayout(image, named: [], at: folder.at("image"))
        }
        for path: ByteString in ["", "/", "..", "a/..", "."] {
            #expect(throws: TransportError.self) {
                try fixture.exporter().writeLayout(fixture.image, named: [], at: path)
            }
        }
    }

    @Test("an archive holds the same image as a layout, and to a stream the same bytes as to a file") func archives()
        throws
    {
        let names = [try Reference(parsing: "shell:1")]
        let layout = try fixture.exporter().writeLayout(fixture.image, named: names, at: folder.at("image"))
        let archive = try fixture.exporter().writeArchive(fixture.image, named: names, at: folder.at("a.tar"))
        #expect(archive.digest == layout.digest)
        #expect(archive.entries == layout.entries)
        #expect(try ImageVerifier.verify(archive: folder.at("a.tar")).map(\.digest) == [layout.digest])
        let output = try Files.open(folder.at("b.tar"), [.writeOnly, .create])
        _ = try fixture.exporter().writeArchive(
            .image(fixture.image), named: names, to: output, stagingIn: folder.at(""))
        #expect(try folder.read("a.tar") == folder.read("b.tar"))
        let stream = try Files.open(folder.at("c.tar"), [.writeOnly, .create])
        let entries = fixture.image.layers[0].entries
        let result = try fixture.exporter().writeTar(entries, to: stream)
        #expect(try fixture.exporter().writeTar(entries, at: folder.at("d.tar")) == result)
        #expect(try folder.read("c.tar") == folder.read("d.tar"))
        #expect(result.diffID == layout.diffIDs[0])
        #expect(try folder.read("c.tar").count == Int(result.size))
        #expect(try folder.contents().filter { $0.contains(".layerfs-") } == [])
    }

    @Test("a flipped bit anywhere in a layout is found") func damage() throws {
        let image = try fixture.exporter().writeLayout(fixture.image, named: [], at: folder.at("image"))
        let blobs = try ([image.descriptor, image.manifest.config] + image.manifest.layers).map {
            try "image/blobs/sha256/\($0.sha256().hexadecimal)"
        }
        var generator = SeededGenerator(seed: 5)
        for blob in blobs {
            let whole = try folder.read(blob)
            for _ in 0..<5 {
                var damaged = whole
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0...7, using: &generator)
                try folder.write(blob, damaged)
                #expect { try ImageVerifier.verify(directory: folder.at("image")) } throws: { error in
                    if case TransportError.digestMismatch = error { true } else { false }
                }
            }
            try folder.write(blob, Array(whole.dropLast()))
            #expect { try ImageVerifier.verify(directory: folder.at("image")) } throws: { error in
                if case TransportError.sizeMismatch = error { true } else { false }
            }
            try folder.write(blob, whole)
        }
        #expect(try ImageVerifier.verify(directory: folder.at("image")).count == 1)
    }
}
