import CZlib
import TestSupport
import Testing

@testable import ImageTransport
@testable import Posix

@Suite struct GzipTests {
    final class Collector: ByteSink {
        var bytes: [UInt8] = []
        func write(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }
    }

    static func compress(_ bytes: [UInt8], workers: Int = 2) throws -> [UInt8] {
        let output = Collector()
        let compressor = GzipCompressor(output: output, pool: WorkerPool(workers: workers))
        try compressor.write(bytes)
        try compressor.finish()
        return output.bytes
    }

    static func decompress(
        _ bytes: [UInt8], pieceSize: Int = 1 << 20, limit: UInt64 = .max, byZlib: Bool = false
    ) throws -> [UInt8] {
        let decompressor = try GzipDecompressor(limit: limit, byZlib: byZlib)
        var content: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + pieceSize)
            try bytes[start..<end].withUnsafeBytes {
                try decompressor.decompress($0) { content.append(contentsOf: $0) }
            }
            start = end
        }
        try decompressor.finish()
        return content
    }

    @Test(
        "what is compressed is decompressed, around the size of a segment",
        arguments: [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
    func roundTrip(size: Int) throws {
        var generator = SeededGenerator(seed: UInt64(size))
        let content = (0..<size).map { _ in UInt8.random(in: 0...15, using: &generator) }
        let compressed = try Self.compress(content)
        #expect(try Self.compress(content, workers: 5) == compressed)
        #expect(try Self.decompress(compressed) == content)
        #expect(try Self.decompress(compressed, pieceSize: 1000) == content)
    }

    @Test func severalMembersAreOneContent() throws {
        let members = try Self.compress([1, 2]) + Self.compress([]) + Self.compress([3])
        for pieceSize in [1, 2, 7, 1000] { #expect(try Self.decompress(members, pieceSize: pieceSize) == [1, 2, 3]) }
    }

    /// Members with all that a header may have (RFC 1952, section 2.3), made of a plain one.
    static let headers: [(flags: UInt8, fields: [UInt8])] = [
        (0, []), (1, []), (4, [3, 0, 1, 2, 3]), (8, Array("name\0".utf8)), (16, Array("comment\0".utf8)),
        (8 | 16, Array("name\0comment\0".utf8)), (4 | 8, [0, 0] + Array("name\0".utf8)),
    ]

    @Test(
        "headers are read in pieces of any size, with their checksum or without, whoever reads the data",
        arguments: [false, true], [1, 2, 7, 1000])
    func optionalFields(byZlib: Bool, pieceSize: Int) throws {
        let plain = try Self.compress([1, 2, 3])
        for (flags, fields) in Self.headers {
            for isChecked in [false, true] {
                var header = Array(plain[..<10])
                header[3] = flags | (isChecked ? 2 : 0)
                header += fields
                let crc = crc32(0, header, UInt32(header.count))
                if isChecked { header += [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)] }
                let member = header + plain[10...]
                #expect(
                    try Self.decompress(member + member, pieceSize: pieceSize, byZlib: byZlib) == [1, 2, 3, 1, 2, 3])
                guard isChecked else { continue }
                var damaged = member
                damaged[header.count - 1] ^= 1
                #expect(throws: TransportError.self) {
                    try Self.decompress(damaged, pieceSize: pieceSize, byZlib: byZlib)
                }
            }
        }
        for wrong: (index: Int, byte: UInt8) in [(0, 0x1e), (1, 0x8a), (2, 7), (3, 0x20), (3, 0x80)] {
            var member = plain
            member[wrong.index] = wrong.byte
            #expect(throws: TransportError.self, "\(wrong)") {
                try Self.decompress(member, pieceSize: pieceSize, byZlib: byZlib)
            }
        }
    }

    @Test(
        "what gzip makes at any level is read the same by all who read data",
        .enabled(if: Tool.isAvailable("gzip"), "no gzip"), arguments: [1, 6, 9], [61, 4096, 1 << 20])
    func levels(level: Int, pieceSize: Int) throws {
        var generator = SeededGenerator(seed: UInt64(level))
        // Stored, with short codes, and with matches as far back as they may be.
        let random = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let content = random + [UInt8](repeating: 7, count: 300_000) + random.prefix(32_768) + random.prefix(32_768)
        let compressed = try Tool.succeed("gzip", ["-\(level)", "-c"], input: content).output
        for byZlib in [false, true] {
            #expect(try Self.decompress(compressed, pieceSize: pieceSize, byZlib: byZlib) == content)
        }
    }

    @Test func rubbishBehindTheEndIsRefused() throws {
        for rubbish: [UInt8] in [[0], [1, 2, 3], [0x1f], [0x1f, 0x8b]] {
            #expect(throws: TransportError.self) { try Self.decompress(Self.compress([1]) + rubbish) }
        }
    }

    @Test func aCutAtAnyByteIsFound() throws {
        let compressed = try Self.compress(Array("some content".utf8))
        for count in 0..<compressed.count {
            #expect(throws: TransportError.self) { try Self.decompress(Array(compressed[..<count])) }
        }
    }

    @Test func aLimitBoundsABomb() throws {
        let bomb = try Self.compress([UInt8](repeating: 0, count: 4 << 20))
        #expect(bomb.count < 10_000)
        #expect(throws: TransportError.self) { try Self.decompress(bomb, limit: 1 << 20) }
        #expect(try Self.decompress(bomb, limit: 4 << 20).count == 4 << 20)
    }

    @Test(
        "fuzzed streams: no trap, and gzip's content where gzip accepts",
        .enabled(if: Corpus.isPresent("fuzz-gzip") && Tool.isAvailable("gzip"), "no corpus or no gzip"))
    func fuzzed() throws {
        var accepted = 0
        for name in Corpus.names("fuzz-gzip") {
            guard let content = try? Self.decompress(Corpus.file("fuzz-gzip", name)) else { continue }
            accepted += 1
            // gzip exits with 2 for what it only warns of.
            let reference = try Tool.run("gzip", ["-dc"], input: Corpus.file("fuzz-gzip", name))
            #expect(reference.status == 0 || reference.status == 2, "\(name): \(reference.errors)")
            #expect(reference.output == content, "\(name)")
        }
        #expect(accepted > 10)
    }

    @Test func aMutatedStreamNeverTraps() throws {
        let compressed = try Self.compress((0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })
        var generator = SeededGenerator(seed: 4)
        var refused = 0
        for _ in 0..<3_000 {
            var bytes = compressed
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            let found = try? Self.decompress(bytes, pieceSize: Int.random(in: 1...3000, using: &generator))
            if found == nil { refused += 1 }
            // What zlib takes is never refused, nor read as anything else.
            guard let expected = try? Self.decompress(bytes, byZlib: true) else { continue }
            #expect(found == expected)
        }
        #expect(refused > 2_000)
    }
}
