import Bytes
import Digests
import ImageTransport
import OCI
import TestSupport
import Testing
import Trees

@Suite struct ValidationTests {
    let fixture: Fixture
    let folder: TemporaryDirectory
    let image: VerifiedImage

    init() throws {
        fixture = try Fixture()
        folder = try TemporaryDirectory()
        image = try fixture.exporter().writeLayout(
            fixture.image, named: [Reference(parsing: "shell:1.0")], at: folder.at("image"))
    }

    func blob(_ descriptor: Descriptor) throws -> String { "blobs/sha256/\(try descriptor.sha256().hexadecimal)" }

    func validate(_ reference: String? = nil) throws -> ValidationReport {
        try ImageValidation(scratch: "/var/tmp").run(layout: folder.at("image"), reference: reference)
    }

    /// Stores `bytes` as a blob of the layout.
    func store(_ mediaType: MediaType, _ bytes: [UInt8]) throws -> Descriptor {
        let descriptor = Descriptor(mediaType: mediaType, of: bytes)
        try folder.write("image/" + blob(descriptor), bytes)
        return descriptor
    }

    /// Makes `manifests` the whole index.
    func index(_ manifests: [Descriptor]) throws {
        try folder.write("image/index.json", ImageIndex(manifests: manifests).canonicalBytes)
    }

    @Test("a sound layout: its layers, diffIDs and the chain", arguments: Compression.allCases) func sound(
        compression: Compression
    ) throws {
        try fixture.exporter(compression: compression).writeLayout(
            fixture.image, named: [Reference(parsing: "shell:1.0"), Reference(parsing: "x:2")], at: folder.at("other"))
        let report = try ImageValidation(scratch: "/var/tmp").run(layout: folder.at("other"))
        #expect(report.problems == [])
        #expect(report.images.map(\.names) == [["1.0", "2"]])
        let layers = try #require(report.images.first?.layers)
        #expect(layers.map(\.diffID) == image.diffIDs.map(\.description))
        #expect(layers.map(\.contentSize) == image.layerSizes)
        #expect(layers.last?.chainID == ChainID(of: image.diffIDs)?.description)
        #expect(report.unreferenced == 0)
        // index, header, manifest, configuration, two layers
        #expect(report.files == 6)
    }

    @Test("an archive is both a layout and a Docker archive") func archive() throws {
        try fixture.exporter().writeArchive(
            fixture.image, named: [Reference(parsing: "shell:1.0")], at: folder.at("a.tar"))
        let report = try ImageValidation(scratch: "/var/tmp").run(archive: folder.at("a.tar"))
        #expect(report.problems == [])
        #expect(report.kinds == ["image layout", "Docker archive"])
        #expect(report.images.map(\.names) == [["1.0"], ["shell:1.0"]])
        #expect(report.images[1].layers == report.images[0].layers)
        let docker = try ImageValidation(scratch: "/var/tmp").run(
            archive: folder.at("a.tar"), reference: "shell:1.0", onlyDocker: true)
        #expect(docker.kinds == ["Docker archive"] && docker.isSound)
        #expect(throws: TransportError.noSuchImage("no")) {
            try ImageValidation(scratch: "/var/tmp").run(archive: folder.at("a.tar"), reference: "no")
        }
    }

    @Test("everything wrong is reported, not the first thing only") func several() throws {
        let config = try "image/" + blob(image.manifest.config)
        let lower = try "image/" + blob(image.manifest.layers[0])
        let upper = try "image/" + blob(image.manifest.layers[1])
        var damaged = try folder.read(lower)
        damaged[damaged.count / 2] ^= 1
        try folder.write(lower, damaged)
        try folder.write(upper, Array(folder.read(upper).dropLast()))
        var altered = try folder.read(config)
        altered[altered.count - 2] ^= 1
        try folder.write(config, altered)
        try folder.write("image/oci-layout", Array("{}".utf8))
        _ = try store(.empty, [1, 2, 3])
        try folder.write("image/blobs/sha256/" + String(repeating: "0", count: 64), [4])
        try folder.write("image/blobs/sha256/note", [4])
        let report = try validate()
        #expect(report.problems.map(\.kind) == [.document, .digest, .digest, .size, .digest, .name])
        #expect(
            report.problems.map(\.place) == [
                "", "image 1.0 (linux/amd64), configuration", "image 1.0 (linux/amd64), layer 1",
                "image 1.0 (linux/amd64), layer 2", "not named by any document", "",
            ])
        #expect(report.unreferenced == 2)
        // One image of the layout can be asked for alone.
        #expect(try validate("1.0").problems.count == 4)
        #expect(throws: TransportError.noSuchImage("2.0")) { try validate("2.0") }
    }

    @Test(
        "what a well-formed image may still be wrong in",
        arguments: [
            ImageProblem.Kind.diffID, .count, .platform, .mediaType, .missing, .tar, .compression, .member,
            .unsupported,
        ]) func kinds(kind: ImageProblem.Kind) throws
    {
        var (manifest, configuration) = (image.manifest, image.configuration)
        var entry = image.descriptor
        entry.platform = Platform(architecture: kind == .platform ? "arm64" : "amd64")
        switch kind {
        case .diffID: configuration.diffIDs.reverse()
        case .count: configuration.diffIDs.removeLast()
        case .missing: manifest.layers[1] = Descriptor(mediaType: .layerTar, digest: .empty, size: 0)
        case .mediaType: entry.mediaType = .dockerManifest
        case .tar: manifest.layers[1] = try store(.layerTar, [UInt8](repeating: 7, count: 1024))
        case .compression: manifest.layers[1] = try store(.layerTarZstd, [1, 2, 3, 4])
        case .member:
            let script =
                "import io,sys,tarfile;o=io.BytesIO();t=tarfile.open(fileobj=o,mode='w');t.addfile(tarfile.TarInfo('../x'));t.close();sys.stdout.buffer.write(o.getvalue())"
            manifest.layers[1] = try store(.layerTar, Tool.succeed("python3", ["-c", script]).output)
        case .unsupported:
            let text = "sha512:" + String(repeating: "0", count: 128)
            manifest.layers[1].digest = try DescriptorDigest(parsing: text)
        default: break
        }
        manifest.config = try store(.imageConfiguration, configuration.canonicalBytes)
        let written = try store(.imageManifest, manifest.canonicalBytes)
        (entry.digest, entry.size) = (written.digest, written.size)
        try index([entry])
        let found = try validate().problems.map(\.kind)
        #expect(Set(found) == [kind])
    }

    @Test("nested indexes and all platforms are walked; an index that names itself ends") func nested() throws {
        var arm = image.configuration
        arm.platform = Platform(architecture: "arm64", variant: "v8")
        var second = image.manifest
        second.config = try store(.imageConfiguration, arm.canonicalBytes)
        var entries = [try store(.imageManifest, second.canonicalBytes), image.descriptor]
        entries[0].platform = arm.platform
        let inner = try store(.imageIndex, ImageIndex(manifests: entries).canonicalBytes)
        try index([inner, inner])
        let report = try validate()
        #expect(report.problems == [])
        #expect(report.images.map(\.platform) == ["linux/arm64/v8", "linux/amd64"])
        var deep = inner
        for _ in 0..<9 { deep = try store(.imageIndex, ImageIndex(manifests: [deep]).canonicalBytes) }
        try index([deep])
        #expect(try validate().problems.map(\.kind) == [.document])
    }

    @Test("an artifact's blobs are checked, whatever they are") func artifact() throws {
        var manifest = Manifest(
            config: try store(.empty, Array("{}".utf8)),
            layers: [try store(MediaType(parsing: "application/spdx+json"), Array("{}".utf8))])
        manifest.artifactType = try MediaType(parsing: "application/spdx+json")
        try index([try store(.imageManifest, manifest.canonicalBytes)])
        #expect(try validate().problems == [])
        try folder.write("image/" + blob(manifest.layers[0]), Array("[]".utf8))
        #expect(try validate().problems.map(\.kind) == [.digest, .digest])
    }

    @Test("a bomb ends early", arguments: [Compression.gzip, .zstd]) func bomb(compression: Compression) throws {
        // Zeros in one file, more than may come from anything.
        let zeros = [UInt8](repeating: 0, count: 300 << 20)
        var contents = MemoryContents()
        let entry = Entry(
            path: try TreePath("/zeros"), metadata: Metadata(mode: 0o644),
            kind: .file(digest: contents.insert(zeros), size: UInt64(zeros.count)))
        var exporter = ImageExporter(contents: contents)
        exporter.compression = compression
        let image = ImageDescription(
            layers: [.init(entries: [entry], createdBy: "test")], platform: Platform(architecture: "amd64"))
        try exporter.writeLayout(image, named: [], at: folder.at("bomb"))
        var read: UInt64 = 0
        let report = try ImageValidation(scratch: "/var/tmp", progress: { read += $0 }).run(layout: folder.at("bomb"))
        #expect(report.problems.map(\.kind) == [.expansion])
        #expect(try ImageValidation(limit: .none, scratch: "/var/tmp").run(layout: folder.at("bomb")).problems == [])
        #expect(read < 1 << 20)
    }

    @Test("what is no layout is no layout, and damaged documents never trap") func noLayout() throws {
        try folder.write("plain", [1])
        #expect(throws: TransportError.self) {
            try ImageValidation(scratch: "/var/tmp").run(layout: folder.at("image/blobs"))
        }
        #expect(throws: (any Error).self) { try ImageValidation(scratch: "/var/tmp").run(archive: folder.at("plain")) }
        var generator = SeededGenerator(seed: 11)
        for name in ["index.json", "oci-layout", try blob(image.descriptor), try blob(image.manifest.config)] {
            let whole = try folder.read("image/" + name)
            for _ in 0..<40 {
                var damaged = whole
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = .random(in: 0...255, using: &generator)
                try folder.write("image/" + name, damaged)
                // A changed annotation or name of a platform is no damage that anybody could see.
                if damaged != whole, name.hasPrefix("blobs") {
                    #expect(try !validate().isSound)
                } else {
                    _ = try validate()
                }
            }
            try folder.write("image/" + name, whole)
        }
        #expect(try validate().isSound)
    }
}
