import Bytes
import Digests
import ImageTransport
import OCI
import Posix
import TestSupport
import Testing
import Trees

@Suite struct DeterminismTests {
    @Test("the fixed image has known digests") func pinned() throws {
        let fixture = try Fixture()
        let folder = try TemporaryDirectory()
        let image = try fixture.exporter(compression: .none).writeLayout(
            fixture.image, named: [], at: folder.at("image"))
        #expect(
            image.diffIDs.map(\.description) == [
                "sha256:4ffb7070013fee0f78bd9e9c20ac3a7dd767d873a7060ea0037c632713ca5b3b",
                "sha256:e9396a6897e28534dfe687817711faafb344dc333449dc7795b67f460455827d",
            ])
        #expect(
            image.manifest.config.digest.description
                == "sha256:fe090ab2059daf301a99057b9ebb4f19547efc9f635c3eac3a1abcfa1ca167ca")
        #expect(image.digest.description == "sha256:1a7e6e6222a8d3e175c30f49228ccb178c875665c3b6e2615579f39da0ed2fec")
        #expect(image.manifest.layers.map(\.digest.description) == image.diffIDs.map(\.description))
    }

    @Test("the bytes do not depend on the number of workers, the order of the entries or the run") func workers() throws
    {
        let fixture = try Fixture()
        let folder = try TemporaryDirectory()
        var shuffled = fixture.image
        var generator = SeededGenerator(seed: 9)
        for index in shuffled.layers.indices {
            let entries = shuffled.layers[index].entries.shuffled(using: &generator)
            shuffled.layers[index].entries = Tree.Entries(entries)
        }
        var archives: [[UInt8]] = []
        for workers in [1, 2, 5] {
            let image = workers == 2 ? shuffled : fixture.image
            try fixture.exporter(workers: workers).writeArchive(
                image, named: [Reference(parsing: "f:1")], at: folder.at("\(workers)"))
            archives.append(try folder.read("\(workers)"))
        }
        #expect(archives[0].count > 1_500_000)
        #expect(archives[0] == archives[1])
        #expect(archives[0] == archives[2])
    }

    @Test("compression changes the layer's digest, not its diffID") func diffID() throws {
        let fixture = try Fixture()
        let folder = try TemporaryDirectory()
        let plain = try fixture.exporter(compression: .none).writeLayout(fixture.image, named: [], at: folder.at("a"))
        let packed = try fixture.exporter().writeLayout(fixture.image, named: [], at: folder.at("b"))
        #expect(plain.diffIDs == packed.diffIDs)
        #expect(plain.configuration == packed.configuration)
        #expect(plain.manifest.layers.map(\.mediaType) == [.layerTar, .layerTar])
        #expect(packed.manifest.layers.map(\.mediaType) == [.layerTarGzip, .layerTarGzip])
        #expect(plain.layerSizes == packed.layerSizes)
    }

    @Test(
        "gzip, pigz and Python decompress what was compressed",
        .enabled(if: Tool.isAvailable("gzip") && Tool.isAvailable("pigz"), "no gzip or pigz"),
        arguments: ["gzip", "pigz"])
    func decoders(tool: String) throws {
        let fixture = try Fixture()
        let folder = try TemporaryDirectory()
        let entries = fixture.image.layers[0].entries
        try fixture.exporter().writeTar(entries, at: folder.at("plain.tar"))
        try fixture.exporter().writeTar(entries, at: folder.at("packed.tar.gz"), compression: .gzip)
        #expect(try Tool.run(tool, ["-t", folder.path + "/packed.tar.gz"]).status == 0)
        #expect(try Tool.run(tool, ["-dc", folder.path + "/packed.tar.gz"]).output == folder.read("plain.tar"))
        // One member: what zlib reads in one go is all there is.
        let member =
            "import sys,zlib;d=zlib.decompressobj(31);sys.stdout.buffer.write(d.decompress(open(sys.argv[1],'rb').read()));assert d.eof and not d.unused_data"
        #expect(
            try Tool.run("python3", ["-c", member, folder.path + "/packed.tar.gz"]).output == folder.read("plain.tar"))
        #expect(try folder.read("packed.tar.gz").starts(with: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]))
    }

    @Test(
        "times are clamped, whiteouts come first and parents before children",
        .enabled(if: Tool.isAvailable("tar"), "no tar"))
    func listing() throws {
        let fixture = try Fixture()
        let folder = try TemporaryDirectory()
        try fixture.exporter().writeTar(fixture.image.layers[1].entries, at: folder.at("t"))
        let lines = try Tool.run("tar", ["--full-time", "--utc", "-tvf", folder.path + "/t"]).lines
        let long = String(repeating: "long-name-", count: 20)
        #expect(
            lines.map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") } == [
                "drwxr-xr-x 0/0 0 2020-09-13 12:26:40 etc/", "-rw-r--r-- 0/0 2 2020-09-13 12:26:40 etc/\(long)",
                "drwxr-xr-x 0/0 0 2020-09-13 12:26:40 usr/", "drwx--x--x 0/0 0 2020-09-13 12:26:40 usr/share/",
                "-rw-r--r-- 0/0 0 1970-01-01 00:00:00 usr/share/.wh.gone",
                "-rw-r--r-- 0/0 1 2020-09-13 12:26:40 usr/share/!first",
                "lrwxrwxrwx 0/0 0 2020-09-13 12:26:40 usr/share/empty -> text",
            ])
        try fixture.exporter().writeTar(fixture.image.layers[0].entries, at: folder.at("u"))
        #expect(
            try Tool.run("tar", ["--full-time", "--utc", "-tvf", folder.path + "/u"]).text.contains(
                "2023-11-14 22:13:20 usr/share/text"))
    }
}
