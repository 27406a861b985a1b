import Bytes
import Digests
import Posix
import TestSupport
import Testing
import Trees

@testable import ImageTransport

/// Tars of others taken apart and put together again.
@Suite struct SkeletonTests {
    @Test(
        "tars of the corpus are written again byte for byte", .enabled(if: Corpus.isPresent("go-tar"), "no corpus"),
        arguments: ["go-tar", "tar-split-asm", "fuzz-tar"])
    func corpus(folder: String) throws {
        var again = 0
        for name in Corpus.names(folder) where !name.hasSuffix(".bz2") && !name.contains("sparse-big") {
            let bytes = try Corpus.file(folder, name)
            guard let taken = try? TakenApart(bytes, isLayer: false) else { continue }
            again += 1
            #expect(try taken.assembled() == taken.tar, "\(name)")
        }
        #expect(again >= ["go-tar": 25, "tar-split-asm": 7, "fuzz-tar": 38][folder] ?? 0, "\(again) of \(folder)")
    }

    @Test(
        "what is no content is compressed as one stream, held before or not", arguments: [0, 1_000, 8 << 20, 9 << 20])
    func others(size: Int) throws {
        let bytes = ZstdTests.sample(size)
        let (expected, found) = (ArraySink(), ArraySink())
        let encoder = try GzipEncoder(output: expected)
        try encoder.write(bytes)
        try encoder.finish()
        let others = try SkeletonOthers { found.write($0) }
        for start in stride(from: 0, to: size, by: 1 << 20) {
            try bytes[start..<min(size, start + 1 << 20)].withUnsafeBytes { try others.write($0) }
        }
        try others.finish()
        #expect(found.bytes == expected.bytes)
    }

    @Test("a skeleton is text that is read back") func text() throws {
        let content = Digest(hashing: [1])
        let skeleton = Skeleton(
            others: Digest(hashing: [2]), size: 2048,
            parts: [.init(others: 512, offset: 0, count: 5, content: content)],
            tail: 1531)
        #expect(
            String(decoding: skeleton.text, as: UTF8.self)
                == "layerfs-skeleton 1 \(Digest(hashing: [2])) 2048\n512 0 5 \(content)\n1531\n")
        #expect(try Skeleton(parsing: skeleton.text) == skeleton)
    }

    static let digest = Digest(hashing: [])

    @Test(
        "what is no skeleton is refused",
        arguments: [
            "", "\n", "layerfs-skeleton 1 \(digest) 5\n", "layerfs-skeleton 1 \(digest) 5\n5",
            "layerfs-skeleton 2 \(digest) 5\n5\n",
            "layerfs-skeleton 1 \(digest) 5\n6\n", "layerfs-skeleton 1 \(digest) 5\n05\n",
            "layerfs-skeleton 1 \(digest) +5\n5\n",
            "layerfs-skeleton 1 \(digest) 5\n0 0 0 \(digest)\n5\n",
            "layerfs-skeleton 1 \(digest) 5\n1 0 4 \(digest)\n1\n",
            "layerfs-skeleton 1 \(digest) 5\n18446744073709551615 0 6 \(digest)\n0\n",
            "layerfs-skeleton 1 \(digest) 5\n1 18446744073709551615 4 \(digest)\n0\n", "layerfs-skeleton 1 x 5\n5\n",
        ])
    func malformed(text: String) {
        #expect(throws: SkeletonError.self) { try Skeleton(parsing: Array(text.utf8)) }
    }

    @Test("a skeleton that does not fit its contents ends in an error") func unfit() throws {
        let tar = try Self.smallTar()
        let taken = try TakenApart(tar)
        var skeleton = taken.skeleton
        skeleton.parts[0].count += 1
        skeleton.tail -= 1
        #expect(throws: (any Error).self) { try taken.assembled(skeleton) }
        skeleton = taken.skeleton
        skeleton.parts[0].offset = .max - 5
        #expect(throws: (any Error).self) { try taken.assembled(skeleton) }
        skeleton = taken.skeleton
        skeleton.tail += 512
        skeleton.size += 512
        #expect(throws: (any Error).self) { try taken.assembled(skeleton) }
    }

    /// A tar that layerfs itself would write, and one with other filling.
    static func smallTar(filling: Int = 0) throws -> [UInt8] {
        let fixture = try Fixture()
        let sink = ArraySink()
        _ = try LayerPacking().pack(fixture.image.layers[1].entries, from: fixture.contents, into: sink, progress: nil)
        return sink.bytes + [UInt8](repeating: 0, count: filling)
    }

    @Test("only what layerfs itself would write again needs no skeleton") func canonical() throws {
        #expect(try TakenApart(Self.smallTar()).layer.isCanonical)
        #expect(try !TakenApart(Self.smallTar(filling: 512)).layer.isCanonical)
        var renamed = try Self.smallTar()
        // The user's name, which the tree does not have.
        renamed[265] = 0x61
        let sum = renamed[..<512].enumerated().reduce(0) { $0 + ((148..<156).contains($1.0) ? 32 : Int($1.1)) }
        renamed.replaceSubrange(148..<154, with: ("0" + String(sum, radix: 8)).utf8.suffix(6))
        #expect(try !TakenApart(renamed).layer.isCanonical)
    }

    @Test(
        "the encoding of compressed layers is found where layerfs can make it again",
        arguments: [
            (LayerEncoding.none, 0), (.layerfs, 1), (.zlib(level: 9, header: [0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 2, 3]), 2),
            (.zlib(level: 6, header: [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, 0x61, 0]), 3),
        ])
    func encodings(encoding: LayerEncoding, filling: Int) throws {
        let pool = WorkerPool(workers: 1)
        let tar = try Self.smallTar(filling: 512 * filling)
        let sink = ArraySink()
        let plain = try TakenApart(tar)
        try encoding.encode(
            LayerTar(
                entries: plain.layer.tree.entries.dropFirst(),
                skeleton: plain.layer.isCanonical ? nil : plain.skeleton, contents: plain.contents),
            into: sink, pool: pool)
        var taken = try TakenApart(sink.bytes)
        let skeleton = taken.layer.isCanonical ? nil : taken.skeleton
        #expect(
            try LayerEncoding.find(for: taken.layer, skeleton: skeleton, contents: taken.contents, pool: pool)
                == encoding)
        #expect(LayerEncoding(encoding.text) == encoding)
        // Another digest is never taken for the same bytes.
        taken.layer.blob.digest = .empty
        if encoding != .none {
            #expect(
                try LayerEncoding.find(for: taken.layer, skeleton: skeleton, contents: taken.contents, pool: pool)
                    == nil)
        }
    }

    @Test(arguments: [
        "", "gzip", "none ", "zlib 6", "zlib 0 1f8b", "zlib 10 1f8b", "zlib 6 1f8", "zlib 6 xx", "layerfs 6", "layerfs",
    ])
    func textsThatAreNoEncoding(text: String) { #expect(LayerEncoding(text) == nil) }
}

/// Bytes in memory.
final class ArraySink: ByteSink {
    private(set) var bytes: [UInt8] = []

    func write(_ piece: UnsafeRawBufferPointer) { bytes.append(contentsOf: piece) }
}

/// A tar taken apart into contents and skeleton, in memory.
struct TakenApart {
    var contents = MemoryContents()
    var layer: SourceImage.Layer
    var skeleton: Skeleton
    /// Decompressed.
    var tar: [UInt8]

    private final class Intake: LayerIntake {
        var contents = MemoryContents()
        var current: [UInt8] = []
        var others: [UInt8] = []

        func beginContent(_ metadata: Metadata, size: UInt64) { current = [] }
        func writeContent(_ piece: UnsafeRawBufferPointer) { current.append(contentsOf: piece) }
        func endContent() -> Digest { contents.insert(current) }
        func writeOthers(_ piece: UnsafeRawBufferPointer) { others.append(contentsOf: piece) }
    }

    /// - Parameter isLayer: whether its members have to make sense as those of a layer.
    init(_ bytes: [UInt8], isLayer: Bool = true, pieceSize: Int = 1000) throws {
        let intake = Intake()
        let plain = ArraySink()
        let decompressor = Decompressor()
        for start in stride(from: 0, to: bytes.count, by: pieceSize) {
            try bytes[start..<min(bytes.count, start + pieceSize)].withUnsafeBytes { piece in
                try decompressor.decompress(piece) { plain.write($0) }
            }
        }
        try decompressor.finish { plain.write($0) }
        tar = plain.bytes
        if isLayer {
            var stream = LayerStream(limit: ExpansionLimit(), intake: intake)
            for start in stride(from: 0, to: bytes.count, by: pieceSize) {
                try bytes[start..<min(bytes.count, start + pieceSize)].withUnsafeBytes { try stream.read($0) }
            }
            layer = try stream.finish()
        } else {
            var reader = LayerReader(intake: intake) { _ in }
            for start in stride(from: 0, to: tar.count, by: pieceSize) {
                try tar[start..<min(tar.count, start + pieceSize)].withUnsafeBytes { try reader.read($0) }
            }
            let read = try reader.finish()
            layer = SourceImage.Layer(
                tree: read.tree, diffID: DiffID(Digest(hashing: tar)), size: UInt64(tar.count), parts: read.parts,
                tail: read.tail,
                blob: (.empty, 0), format: .plain, mediaType: nil, prefix: [], others: read.others)
        }
        contents = intake.contents
        let others = ArraySink()
        let encoder = try GzipEncoder(output: others)
        try encoder.write(intake.others)
        try encoder.finish()
        skeleton = Skeleton(
            others: contents.insert(others.bytes), size: layer.size, parts: layer.parts, tail: layer.tail)
    }

    func assembled(_ changed: Skeleton? = nil) throws -> [UInt8] {
        let sink = ArraySink()
        let written = try TarAssembly(skeleton: changed ?? skeleton, contents: contents, progress: nil).write(
            into: sink)
        #expect(written.diffID == layer.diffID)
        return sink.bytes
    }
}
