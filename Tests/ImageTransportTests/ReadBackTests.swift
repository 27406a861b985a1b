import Bytes
import Digests
import Foundation
import Posix
import TestSupport
import Testing
import Trees

@testable import ImageTransport

/// What is written is read back meanwhile; what lies in the file counts.
@Suite struct ReadBackTests {
    let folder: TemporaryDirectory
    let fixture: Fixture

    init() throws {
        folder = try TemporaryDirectory()
        fixture = try Fixture()
    }

    /// Pieces of a file, the last of them of one byte.
    static let pieces: [[UInt8]] = (0..<40).map { number in
        [UInt8](repeating: UInt8(number), count: number == 39 ? 1 : 70_000 + number)
    }

    private func staged() throws -> StagedFile {
        try StagedFile(in: Files.open(folder.at(""), [.readOnly, .directory]), for: "file")
    }

    @Test(arguments: [true, false]) func whatLiesInTheFileIsFound(isKnown: Bool) throws {
        let file = try BackgroundFile(staged(), readingBack: .digest, isKnown: isKnown)
        for piece in Self.pieces { try file.write(piece) }
        let digest = Digest(hashing: Array(Self.pieces.joined()))
        let found = try file.verify(expecting: isKnown ? digest : nil) { _ in "file" }
        #expect(found.digest == digest && found.content == nil)
    }

    @Test(arguments: [true, false]) func aFileWithOtherBytesThanWereWrittenIsRefused(isCompared: Bool) throws {
        let staged = try staged()
        let readBack = try ReadBack(staged, .digest)
        for piece in Self.pieces { try staged.write(piece) }
        let name = try #require(folder.contents().first)
        let other = try FileHandle(forUpdating: URL(fileURLWithPath: folder.path + "/" + name))
        try other.seek(toOffset: 100_000)
        try other.write(contentsOf: Data([0xff]))
        try other.close()
        for piece in Self.pieces {
            if isCompared { try readBack.advance(over: piece) } else { try readBack.advance(by: piece.count) }
        }
        #expect(try (readBack.catchUp() == staged.digest) == isCompared)
        #expect {
            _ = try readBack.finish(expecting: staged.digest, name: "file")
        } throws: { error in
            guard case TransportError.digestMismatch("file", staged.digest, _) = error else { return false }
            return true
        }
    }

    @Test(arguments: [Compression.gzip, .zstd]) func whatItDecompressesToIsFound(_ compression: Compression) throws {
        let file = try BackgroundFile(staged(), readingBack: .decoding(isHashing: true))
        try compression.compress(into: file, level: nil, pool: WorkerPool(workers: 2)) { sink in
            for piece in Self.pieces { try sink.write(piece) }
        }
        let content = try #require(try file.verify { _ in "file" }.content)
        let expected = Array(Self.pieces.joined())
        #expect(content.size == UInt64(expected.count) && content.digest == Digest(hashing: expected))
    }

    @Test func aStreamThatIsCutOffIsRefused() throws {
        let file = try BackgroundFile(staged(), readingBack: .decoding(isHashing: false))
        try file.write(Array(GzipCompressor.member(Self.pieces[0], level: 4).dropLast(9)))
        #expect(throws: TransportError.self) { try file.verify { _ in "file" } }
    }

    // MARK: Flat tars of known digest

    /// Has one content other than it should be, which only a check notices.
    struct Damaged: ContentSource {
        struct Found: Error, Equatable { let digest: Digest }
        let contents: MemoryContents
        let damaged: Digest?

        func size(of digest: Digest) -> UInt64? { contents.size(of: digest) }

        func readContent(_ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            if digest == damaged { throw Found(digest: digest) }
            try contents.readContent(digest, size: size, body)
        }

        func readUnchecked(_ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
            guard digest == damaged else { return try contents.readContent(digest, size: size, body) }
            try [UInt8](repeating: 7, count: Int(size)).withUnsafeBytes(body)
        }
    }

    private var entries: Tree.Entries { fixture.image.layers[0].entries }

    private func exporter(damaged: Digest? = nil) -> ImageExporter {
        ImageExporter(contents: Damaged(contents: fixture.contents, damaged: damaged))
    }

    @Test func aKnownTarIsTheSameTar() throws {
        let first = try exporter().writeTar(entries, at: folder.at("first"))
        let second = try exporter().writeTar(entries, at: folder.at("second")) { first.diffID }
        #expect(first == second)
        #expect(try folder.read("first") == folder.read("second"))
    }

    @Test func aDamagedContentIsToldAsWhatItIsAndLeavesNothing() throws {
        let diffID = try LayerPacking().measure(entries, from: fixture.contents).diffID
        for case .file(let digest, let size) in entries.map(\.kind) where size > 0 {
            #expect(throws: Damaged.Found(digest: digest)) {
                try exporter(damaged: digest).writeTar(entries, at: folder.at("tar")) { diffID }
            }
            #expect(try folder.contents() == [])
        }
    }

    @Test func aTarThatIsNotTheKnownOneIsRefused() throws {
        #expect {
            try exporter().writeTar(entries, at: folder.at("tar")) { DiffID(.empty) }
        } throws: { error in
            guard case TransportError.digestMismatch(_, .empty, _) = error else { return false }
            return true
        }
        #expect(try folder.contents() == [])
    }

    @Test func whatWasKnownOfLaterTimesIsNotUsed() throws {
        var exporter = exporter()
        exporter.packing.sourceDateEpoch = 1
        // Another digest would be refused.
        let written = try exporter.writeTar(entries, at: folder.at("tar")) { DiffID(.empty) }
        #expect(try written.diffID == exporter.packing.measure(entries, from: fixture.contents).diffID)
    }
}
