import Bytes
import Digests
import ImageTransport
import OCI
import Posix
import TestSupport
import Trees

/// A fixed small image of two layers, the upper of which removes and replaces something of the lower.
struct Fixture {
    var contents = MemoryContents()
    var image: ImageDescription

    init() throws {
        var contents = MemoryContents()
        func entry(
            _ path: ByteString, _ kind: Entry.Kind, _ mode: UInt16, time: Int64 = 1_600_000_000, uid: UInt32 = 0,
            attributes: [ExtendedAttribute] = []
        ) throws -> Entry {
            Entry(
                path: try TreePath(path),
                metadata: Metadata(
                    mode: mode, uid: uid, gid: uid, modified: Timestamp(seconds: time, nanoseconds: 5),
                    extendedAttributes: attributes),
                kind: kind)
        }
        func file(_ bytes: [UInt8]) -> Entry.Kind {
            .file(digest: contents.insert(bytes), size: UInt64(bytes.count))
        }
        // Compressible and not, over several segments of compression.
        var generator = SeededGenerator(seed: 7)
        let noise = (0..<1_500_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let text = (0..<400_000).flatMap { Array("line \($0 / 7)\n".utf8) }
        let lower = try [
            entry("/usr", .directory, 0o755), entry("/usr/bin", .directory, 0o755),
            entry("/bin", .symlink(target: "usr/bin"), 0o777),
            entry("/usr/bin/noise", file(noise), 0o755), entry("/usr/bin/su", file(Array("su".utf8)), 0o4755),
            entry("/usr/share", .directory, 0o755), entry("/usr/share/text", file(text), 0o644, time: 1_900_000_000),
            entry("/usr/share/empty", .file(digest: .empty, size: 0), 0o600, uid: 1000),
            entry("/usr/share/gone", .directory, 0o755), entry("/usr/share/gone/below", file([1]), 0o644),
            entry("/tmp", .directory, 0o1777), entry("/etc", .directory, 0o755),
            entry("/etc/passwd", file(Array("root:x:0:0::/:/bin/sh\n".utf8)), 0o644),
        ]
        let upper = try [
            entry("/usr", .directory, 0o755), entry("/usr/share", .directory, 0o711),
            entry("/usr/share/gone", .whiteout, 0), entry("/usr/share/!first", file([2]), 0o644),
            entry("/usr/share/empty", .symlink(target: "text"), 0o777),
            entry("/etc", .directory, 0o755),
            entry("/etc/" + ByteString(String(repeating: "long-name-", count: 20)), file([3, 4]), 0o644),
        ]
        self.contents = contents
        image = ImageDescription(
            layers: [
                .init(entries: lower, createdBy: "layerfs add lower"),
                .init(entries: upper, createdBy: "layerfs add upper"),
            ],
            platform: Platform(architecture: "amd64"),
            execution: Execution(environment: ["PATH=/usr/bin:/bin"], command: ["/bin/noise"], workingDirectory: "/"),
            created: 1_700_000_000, annotations: [AnnotationKey.title: "fixture"])
    }

    /// What a container sees, with clamped times.
    var union: [TreePath: Entry] {
        let packing = LayerPacking(sourceDateEpoch: 1_700_000_000)
        var union: [TreePath: Entry] = [:]
        for entry in image.layers.flatMap(\.entries) { union[entry.path] = packing.recorded(entry) }
        return union.filter { !"\($0.key)".hasPrefix("/usr/share/gone") }
    }

    func exporter(workers: Int = 2, compression: Compression = .gzip) -> ImageExporter {
        var exporter = ImageExporter(contents: contents)
        exporter.packing.sourceDateEpoch = 1_700_000_000
        exporter.pool = WorkerPool(workers: workers)
        exporter.compression = compression
        return exporter
    }
}

extension TemporaryDirectory {
    func at(_ name: String) -> ByteString { ByteString(path + "/" + name) }
}
