import TestSupport
import Testing

@testable import ImageTransport

/// Segments that are to be joined, and the guess at where their last block is.
@Suite struct SegmentTests {
    /// Contents whose streams end in blocks of every kind.
    enum Content: String, CaseIterable {
        case empty, one, few, zeros, text, random, randomEnd, randomStart, compressed, headers

        var bytes: [UInt8] {
            var generator = SeededGenerator(seed: 7)
            func noise(_ count: Int) -> [UInt8] {
                (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
            func text(_ count: Int) -> [UInt8] {
                var words: [UInt8] = []
                while words.count < count {
                    words += Array("word \(UInt8.random(in: 0...255, using: &generator)) and so on\n".utf8)
                }
                return words
            }
            switch self {
            case .empty: return []
            case .one: return [0x61]
            case .few: return Array("abc".utf8)
            case .zeros: return [UInt8](repeating: 0, count: 1 << 20)
            case .text: return text(700_000)
            // Stored: one block, and many.
            case .random: return noise(300_000)
            case .randomEnd: return text(200_000) + noise(100_000)
            case .randomStart: return noise(100_000) + text(200_000)
            // What holds streams holds things like headers of last blocks.
            case .compressed:
                let inner = (0..<40).map { text(3_000 + 100 * $0) }.compactMap {
                    try? GzipCompressor.member($0, level: 6)
                }
                return inner.flatMap { $0 }
            case .headers: return text(50_000) + ((try? GzipCompressor.member(text(5_000), level: 6)) ?? [])
            }
        }
    }

    @Test("a segment is its content, by zlib, alone and between others", arguments: Content.allCases, [1, 4, 6, 9])
    func content(content: Content, level: Int) throws {
        let bytes = content.bytes
        let segment = try DeflateSegment(compressing: bytes, level: level)
        let other = try DeflateSegment(compressing: Array("other".utf8), level: level)
        for (segments, expected) in [
            ([segment], bytes),
            ([other, segment, other, segment], Array("other".utf8) + bytes + Array("other".utf8) + bytes),
        ] {
            var crc: UInt32 = 0
            var count = 0
            for segment in segments {
                crc = DeflateSegment.combine(crc, segment.crc, secondCount: segment.uncompressedCount)
                count += segment.uncompressedCount
            }
            let member =
                GzipEncoder.plainHeader + segments.flatMap(\.bytes) + DeflateSegment.lastBlock + crc.littleEndianBytes
                + UInt32(count).littleEndianBytes
            #expect(try GzipTests.decompress(member) == expected)
        }
    }

    /// `content` compressed by zlib, without the frame of gzip.
    static func stream(of content: [UInt8], level: Int32 = 6) throws -> [UInt8] {
        let sink = ArraySink()
        let encoder = try GzipEncoder(output: sink, level: level)
        try encoder.write(content)
        try encoder.finish()
        return Array(sink.bytes[10..<(sink.bytes.count - 8)])
    }

    static func guess(_ stream: [UInt8], padding: UInt8 = 0) -> StreamSeam? {
        (stream + [UInt8](repeating: padding, count: StreamSeam.padding)).withUnsafeBytes {
            StreamSeam.guess($0, count: stream.count)
        }
    }

    @Test("a guess is right, or there is none, and does not depend on what lies behind", arguments: Content.allCases)
    func guesses(content: Content) throws {
        let bytes = content.bytes
        let stream = try Self.stream(of: bytes)
        let seam = try #require(stream.withUnsafeBytes { StreamSeam(reading: $0, of: bytes) })
        let guess = Self.guess(stream)
        // Of streams inside the content it may find the end, but none that is the end of this one.
        #expect(guess == nil || guess == seam)
        #expect(Self.guess(stream, padding: 0xff) == guess)
        switch content {
        case .text, .randomStart, .headers: #expect(guess == seam)
        // Of fixed codes, and stored.
        case .empty, .one, .few, .random: #expect(guess == nil)
        default: break
        }
    }

    @Test("a guess reads no further than the padding, whatever the bytes are") func hostile() {
        var generator = SeededGenerator(seed: 11)
        var found = 0
        for count in 0..<3_000 {
            // Bytes of the kind that headers are made of.
            let bits: UInt8 = [0xff, 0xed, 0x0f, 0x25][count % 4]
            let stream = (0..<(count % 700)).map { _ in UInt8.random(in: 0...255, using: &generator) & bits }
            if let seam = Self.guess(stream) {
                found += 1
                #expect(seam.lastBlock >= 0 && seam.end > seam.lastBlock && seam.end <= stream.count * 8)
            }
        }
        #expect(Self.guess([]) == nil)
        #expect(found < 100, "\(found)")
    }

    @Test("a changed stream is nobody's guess to trap on") func mutated() throws {
        let stream = try Self.stream(of: Array(Content.text.bytes.prefix(3_000)))
        let seam = try #require(Self.guess(stream))
        var generator = SeededGenerator(seed: 13)
        var same = 0
        for _ in 0..<3_000 {
            var bytes = stream
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            if Self.guess(bytes) == seam { same += 1 }
        }
        // The codes are what tells; a change behind them does not matter to a guess.
        #expect(same > 1_000 && same < 3_000, "\(same)")
    }
}
