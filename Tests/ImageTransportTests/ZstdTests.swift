import TestSupport
import Testing

@testable import ImageTransport
@testable import Posix

@Suite struct ZstdTests {
    static func compress(
        _ bytes: [UInt8], level: Int = 3, workers: Int = 2, pieceSize: Int = 1 << 20
    ) throws -> [UInt8] {
        let output = GzipTests.Collector()
        let compressor = try ZstdCompressor(output: output, level: level, pool: WorkerPool(workers: workers))
        for start in stride(from: 0, to: bytes.count, by: pieceSize) {
            try compressor.write(Array(bytes[start..<min(bytes.count, start + pieceSize)]))
        }
        try compressor.finish()
        return output.bytes
    }

    static func decompress(_ bytes: [UInt8], pieceSize: Int = 1 << 20) throws -> [UInt8] {
        let decompressor = try ZstdDecompressor()
        var content: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: pieceSize) {
            try bytes[start..<min(bytes.count, start + pieceSize)].withUnsafeBytes {
                try decompressor.decompress($0) { content.append(contentsOf: $0) }
            }
        }
        try decompressor.finish()
        return content
    }

    static func sample(_ size: Int) -> [UInt8] {
        // Half random, from a linear congruential generator, which is fast without optimization, too.
        var state = UInt32(truncatingIfNeeded: size)
        return [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
            for index in 0..<size {
                state = state &* 1_664_525 &+ 1_013_904_223
                bytes[index] = UInt8(truncatingIfNeeded: state >> 28)
            }
            count = size
        }
    }

    @Test("what is compressed is decompressed", arguments: [0, 1, 100_000, 5 << 20])
    func roundTrip(size: Int) throws {
        let content = Self.sample(size)
        let compressed = try Self.compress(content)
        #expect(try Self.decompress(compressed) == content)
        #expect(try Self.decompress(compressed, pieceSize: 1000) == content)
    }

    @Test("the bytes depend neither on the number of threads nor on how the content comes", arguments: [1, 3, 5])
    func determinism(level: Int) throws {
        // Several of libzstd's jobs at each level.
        let content = Self.sample(20 << 20)
        let expected = try Self.compress(content, level: level, workers: 1)
        for (workers, pieceSize) in [(1, 4097), (2, 1 << 20), (3, 100_003), (8, 20 << 20)] {
            #expect(
                try Self.compress(content, level: level, workers: workers, pieceSize: pieceSize) == expected,
                "\(workers), \(pieceSize)")
        }
    }

    @Test("zstd reads one frame with a checksum", .enabled(if: Tool.isAvailable("zstd"), "no zstd")) func program()
        throws
    {
        let folder = try TemporaryDirectory()
        let content = Self.sample(5 << 20)
        try folder.write("x.zst", Self.compress(content, workers: 4))
        #expect(try Tool.succeed("zstd", ["-dc", folder.path + "/x.zst"]).output == content)
        let listing = try Tool.succeed("zstd", ["-lv", folder.path + "/x.zst"]).text
        #expect(listing.contains("# Zstandard Frames: 1\n"))
        #expect(listing.contains("Check: XXH64"))
        // The largest that every decoder has (RFC 8878, section 3.1.1.1.2).
        #expect(listing.contains("Window Size: 8.00 MiB"))
    }

    @Test func severalFramesAreOneContent() throws {
        // A skippable frame of 3 bytes in between (RFC 8878, section 3.1.2).
        let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]
        let frames = try Self.compress([1, 2]) + skippable + Self.compress([]) + Self.compress([3])
        for pieceSize in [1, 2, 7, 1000] { #expect(try Self.decompress(frames, pieceSize: pieceSize) == [1, 2, 3]) }
    }

    @Test func aCutAtAnyByteAndRubbishBehindTheEndAreFound() throws {
        let compressed = try Self.compress(Array("some content".utf8))
        for count in 0..<compressed.count {
            #expect(throws: TransportError.self) { try Self.decompress(Array(compressed[..<count])) }
        }
        for rubbish: [UInt8] in [[0], [1, 2, 3], [0x28], [0x28, 0xb5, 0x2f, 0xfd]] {
            #expect(throws: TransportError.self) { try Self.decompress(compressed + rubbish) }
        }
    }

    @Test func aMutatedStreamNeverTraps() throws {
        let compressed = try Self.compress((0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })
        var generator = SeededGenerator(seed: 4)
        var refused = 0
        for _ in 0..<3_000 {
            var bytes = compressed
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            if (try? Self.decompress(bytes, pieceSize: Int.random(in: 1...3000, using: &generator))) == nil {
                refused += 1
            }
        }
        #expect(refused > 2_000)
    }

    @Test("levels out of range are refused", arguments: [(Compression.gzip, 0), (.gzip, 10), (.zstd, 20), (.none, 1)])
    func levels(compression: Compression, level: Int) throws {
        let fixture = try Fixture()
        let folder = try TemporaryDirectory()
        var exporter = fixture.exporter(compression: compression)
        exporter.compressionLevel = level
        #expect(throws: TransportError.compressionLevel(compression, level)) {
            try exporter.writeLayout(fixture.image, named: [], at: folder.at("image"))
        }
        #expect(try folder.contents() == [])
    }
}
