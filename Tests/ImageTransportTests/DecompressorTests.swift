import TestSupport
import Testing

@testable import ImageTransport

/// Streams of every format, whole, joined, cut, damaged and hostile.
@Suite struct DecompressorTests {
    static let content: [UInt8] = (0..<60_000).flatMap { Array("line \($0 % 977)\n".utf8) }

    static func decompress(
        _ bytes: [UInt8], pieceSize: Int = 4096, limit: ExpansionLimit = ExpansionLimit(), isParallel: Bool = false
    ) throws -> [UInt8] {
        let (decompressor, sink) = (Decompressor(limit: limit, isParallel: isParallel), ArraySink())
        for start in stride(from: 0, to: bytes.count, by: pieceSize) {
            try bytes[start..<min(bytes.count, start + pieceSize)].withUnsafeBytes { piece in
                try decompressor.decompress(piece) { sink.write($0) }
            }
        }
        try decompressor.finish { sink.write($0) }
        return sink.bytes
    }

    static func compress(_ tool: String, _ options: [String] = [], _ content: [UInt8] = DecompressorTests.content)
        throws -> [UInt8]
    {
        try Tool.succeed(tool, options + ["-c"], input: content).output
    }

    static let tools: [String] = ["gzip", "zstd", "xz"]

    @Test(
        "what each tool makes is read, once and joined, in pieces of any size",
        .enabled(if: DecompressorTests.tools.allSatisfy { Tool.isAvailable($0) }, "no gzip, zstd or xz"),
        arguments: DecompressorTests.tools,
        [1, 7, 4096, 1 << 20])
    func made(tool: String, pieceSize: Int) throws {
        let small = Array("hello".utf8)
        let one = try Self.compress(tool, [], pieceSize == 1 ? small : Self.content)
        #expect(try Self.decompress(one, pieceSize: pieceSize) == (pieceSize == 1 ? small : Self.content))
        let two = try one + Self.compress(tool, [], small)
        #expect(try Self.decompress(two, pieceSize: pieceSize) == (pieceSize == 1 ? small : Self.content) + small)
    }

    @Test(
        "what is cut, or followed by rubbish, is refused",
        .enabled(if: DecompressorTests.tools.allSatisfy { Tool.isAvailable($0) }, "no gzip, zstd or xz"),
        arguments: DecompressorTests.tools)
    func damage(tool: String) throws {
        let whole = try Self.compress(tool)
        for count in stride(from: 7, to: whole.count, by: max(1, whole.count / 40)) {
            #expect(throws: TransportError.self, "\(count)") { try Self.decompress(Array(whole[..<count])) }
        }
        #expect(throws: TransportError.self) { try Self.decompress(whole + Array("rubbish".utf8)) }
        var generator = SeededGenerator(seed: 5)
        var found = 0
        for _ in 0..<200 {
            var bytes = whole
            bytes[Int.random(in: 6..<bytes.count, using: &generator)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            if ((try? Self.decompress(bytes)) ?? []) != Self.content { found += 1 }
        }
        // A few bits of the headers say nothing about the content.
        #expect(found > 150, "\(found)")
    }

    @Test("plain bytes pass, also fewer than tell a format", arguments: [0, 1, 5, 6, 7, 5000])
    func plain(count: Int) throws {
        let bytes = [UInt8](repeating: 0x61, count: count)
        #expect(try Self.decompress(bytes) == bytes)
    }

    @Test("a frame of zstd that says nothing is passed over") func skippableFrame() throws {
        #expect(try Self.decompress([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]) == [])
    }

    @Test(
        "windows and memory beyond the limits are refused with a clear error",
        .enabled(if: DecompressorTests.tools.allSatisfy { Tool.isAvailable($0) }, "no zstd or xz"))
    func memory() throws {
        let long = try Tool.succeed("zstd", ["--ultra", "--long=28", "-3", "-c"], input: Self.content).output
        // The size of the content bounds the window where it is known; a pipe has none.
        #expect(throws: TransportError.self) { try Self.decompress(long) }
        let dictionary = try Tool.succeed("xz", ["--lzma2=dict=512MiB", "-c"], input: Self.content).output
        #expect { try Self.decompress(dictionary) } throws: { "\($0)".contains("MiB of memory") }
    }

    @Test("a bomb ends in a clear error long before its end") func bomb() throws {
        var limit = ExpansionLimit()
        limit.base = 1 << 20
        let sink = ArraySink()
        let encoder = try GzipEncoder(output: sink)
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<64 { try encoder.write(zeros) }
        try encoder.finish()
        #expect {
            try Self.decompress(sink.bytes, limit: limit)
        } throws: { error in
            guard case TransportError.expandsTooMuch(let produced, _, 100) = error else { return false }
            return produced < 16 << 20
        }
        #expect(try Self.decompress(sink.bytes, limit: .none).count == 64 << 20)
    }

    // MARK: On a thread of its own

    /// Bytes that stay large enough for a thread.
    static let noise: [UInt8] = {
        var generator = SeededGenerator(seed: 3)
        return (0..<1_500_000).map { _ in UInt8.random(in: 0...63, using: &generator) }
    }()

    @Test(
        "another thread gives the same, of every format, once and joined",
        .enabled(if: DecompressorTests.tools.allSatisfy { Tool.isAvailable($0) }, "no gzip, zstd or xz"),
        arguments: DecompressorTests.tools, [64 << 10, 100_001, 1 << 20, 1 << 24])
    func background(tool: String, pieceSize: Int) throws {
        let one = try Self.compress(tool, [], Self.noise)
        #expect(one.count > 1 << 20)
        #expect(try Self.decompress(one, pieceSize: pieceSize, isParallel: true) == Self.noise)
        let two = try one + Self.compress(tool, [], Self.content)
        #expect(try Self.decompress(two, pieceSize: pieceSize, isParallel: true) == Self.noise + Self.content)
    }

    @Test(
        "another thread refuses the same",
        .enabled(if: DecompressorTests.tools.allSatisfy { Tool.isAvailable($0) }, "no gzip, zstd or xz"),
        arguments: DecompressorTests.tools)
    func backgroundDamage(tool: String) throws {
        let whole = try Self.compress(tool, [], Self.noise)
        var inputs = [70_000, whole.count / 2, whole.count - 1].map { Array(whole[..<$0]) }
        inputs.append(whole + Array("rubbish".utf8))
        for place in [100, 80_000, whole.count / 2, whole.count - 5] {
            var bytes = whole
            bytes[place] ^= 0x55
            inputs.append(bytes)
        }
        for bytes in inputs {
            func failure(isParallel: Bool) -> String? {
                do {
                    _ = try Self.decompress(bytes, pieceSize: 1 << 16, isParallel: isParallel)
                    return nil
                } catch {
                    return "\(error)"
                }
            }
            let found = failure(isParallel: true)
            #expect(found != nil && found == failure(isParallel: false))
        }
    }

    @Test("a bomb on another thread ends as early, and holds as little") func backgroundBomb() throws {
        var limit = ExpansionLimit()
        limit.base = 1 << 20
        let sink = ArraySink()
        let encoder = try GzipEncoder(output: sink)
        try encoder.write(Array(Self.noise.prefix(100_000)))
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<256 { try encoder.write(zeros) }
        try encoder.finish()
        #expect {
            try Self.decompress(sink.bytes, pieceSize: 1 << 16, limit: limit, isParallel: true)
        } throws: { error in
            guard case TransportError.expandsTooMuch(let produced, let consumed, 100) = error else { return false }
            return produced < 64 << 20 && consumed <= sink.bytes.count
        }
    }

    @Test("what nobody reads to its end keeps no thread") func abandoned() throws {
        struct Enough: Error {}
        let sink = ArraySink()
        let encoder = try GzipEncoder(output: sink)
        try encoder.write(Array(Self.noise.prefix(100_000)))
        for _ in 0..<64 { try encoder.write([UInt8](repeating: 1, count: 1 << 20)) }
        try encoder.finish()
        for taken in 0..<4 {
            let decompressor = Decompressor(limit: .none, isParallel: true)
            var count = 0
            func take() throws {
                count += 1
                if count > taken { throw Enough() }
            }
            #expect(throws: Enough.self) {
                try sink.bytes.withUnsafeBytes { bytes in
                    for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
                        let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + 1 << 16)])
                        try decompressor.decompress(piece) { _ in try take() }
                    }
                }
                try decompressor.finish { _ in try take() }
            }
        }
        // Handed over, and never taken.
        let decompressor = Decompressor(limit: .none, isParallel: true)
        try sink.bytes.withUnsafeBytes { try decompressor.decompress($0) { _ in } }
    }

    @Test(
        "fuzzed streams: no trap, and what gzip accepts gives the same bytes",
        .enabled(if: Corpus.isPresent("fuzz-gzip") && Tool.isAvailable("gzip"), "no corpus or no gzip"))
    func fuzzed() throws {
        var (same, refused) = (0, 0)
        for name in Corpus.names("fuzz-gzip") {
            let bytes = try Corpus.file("fuzz-gzip", name)
            let outcome = Result { try Self.decompress(bytes) }
            let reference = try Tool.run("gzip", ["-dc"], input: bytes)
            guard reference.status == 0 else {
                if case .success = outcome, bytes.starts(with: [0x1f, 0x8b]) {
                    Issue.record("\(name): only gzip refuses it")
                }
                continue
            }
            if case .success(let found) = outcome {
                #expect(found == reference.output, "\(name)")
                same += 1
            } else {
                refused += 1
            }
        }
        #expect(same + refused == 60 && refused == 0, "\(same) as gzip, \(refused) refused")
    }
}
