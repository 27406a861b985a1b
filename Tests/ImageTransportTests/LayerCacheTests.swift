import Bytes
import Digests
import Foundation
import OCI
import Posix
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import ImageTransport

@Suite struct LayerCacheTests {
    let folder: TemporaryDirectory
    let fixture: Fixture

    init() throws {
        (folder, fixture) = (try TemporaryDirectory(), try Fixture())
        try FileManager.default.createDirectory(atPath: folder.path + "/cache", withIntermediateDirectories: true)
    }

    private func cache() throws -> LayerCache {
        LayerCache(try Files.open(folder.at("cache"), [.readOnly, .directory]))
    }

    /// What counts the contents that are read.
    private func export(
        _ name: String, _ image: ImageDescription? = nil, contents: CountingContents, _ compression: Compression = .gzip
    ) throws -> VerifiedImage {
        var exporter = ImageExporter(contents: contents)
        exporter.packing.sourceDateEpoch = 1_700_000_000
        exporter.compression = compression
        exporter.cache = try cache()
        return try exporter.writeLayout(image ?? fixture.image, named: [], at: folder.at(name))
    }

    private func layers() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache").filter { !$0.hasSuffix(".record") }
            .sorted()
    }

    @Test("a known layer is neither read nor compressed again", arguments: [Compression.gzip, .zstd])
    func known(compression: Compression) throws {
        let contents = CountingContents(fixture.contents)
        let first = try export("a", contents: contents, compression)
        #expect(contents.bytes > 1_500_000)
        let read = contents.bytes
        let second = try export("b", contents: contents, compression)
        #expect(contents.bytes == read)
        #expect(second.digest == first.digest && second.entries == first.entries)
        #expect(try layers().count == 2)
        // It costs no disk either.
        for layer in first.manifest.layers {
            let path = "/blobs/sha256/\(try layer.sha256().hexadecimal)"
            let (a, b) = (try Files.status(folder.at("a" + path)), try Files.status(folder.at("b" + path)))
            #expect(a.identity == b.identity)
        }
        _ = try ImageVerifier.verify(directory: folder.at("b"))
    }

    @Test("a layer is known by all that its tar says, and nothing else") func keys() throws {
        let codec = LayerCache.codec(.gzip, level: nil)
        let packing = LayerPacking(sourceDateEpoch: 1_700_000_000)
        let entry = try Entry(
            path: TreePath("/a"),
            metadata: Metadata(
                mode: 0o644, uid: 1, gid: 2, modified: Timestamp(seconds: 1_600_000_000),
                extendedAttributes: [ExtendedAttribute(name: "user.a", value: "b")]),
            kind: .file(digest: .empty, size: 7))
        func key(_ change: (inout Entry) throws -> Void) rethrows -> Digest {
            var other = entry
            try change(&other)
            return packing.key([other], codec: codec)
        }
        let changed = try [
            key { _ in }, key { $0.path = try TreePath("/b") }, key { $0.metadata.mode = 0o600 },
            key { $0.metadata.uid = 3 },
            key { $0.metadata.gid = 3 }, key { $0.metadata.modified.seconds += 1 },
            key { $0.metadata = Metadata(mode: 0o644, uid: 1, gid: 2, modified: $0.metadata.modified) },
            key { $0.kind = .file(digest: .empty, size: 8) },
            key { $0.kind = .file(digest: Digest(hashing: [1]), size: 7) }, key { $0.kind = .symlink(target: "x") },
            key { $0.kind = .symlink(target: "y") }, key { $0.kind = .directory }, key { $0.kind = .fifo },
            key { $0.kind = .characterDevice(major: 1, minor: 3) }, key { $0.kind = .blockDevice(major: 1, minor: 3) },
            key { $0.kind = .whiteout }, packing.key([], codec: codec), packing.key([entry, entry], codec: codec),
            packing.key([entry], codec: LayerCache.codec(.gzip, level: 9)),
        ]
        #expect(Set(changed).count == changed.count)
        // A tar has whole seconds, and none later than was asked for.
        #expect(key { $0.metadata.modified.nanoseconds = 5 } == changed[0])
        let late = [1_700_000_000, 1_800_000_000].map { time in
            key { $0.metadata.modified = Timestamp(seconds: time) }
        }
        #expect(late[0] == late[1] && late[0] != changed[0])
    }

    @Test("a new time of directories and links changes no piece with a content in it") func pieces() throws {
        func entry(_ path: ByteString, _ kind: Entry.Kind, _ time: Int64) throws -> Entry {
            Entry(
                path: try TreePath(path), metadata: Metadata(mode: 0o755, modified: Timestamp(seconds: time)),
                kind: kind)
        }
        func keys(_ time: Int64) throws -> (contents: [[Digest]], others: [[Digest]], bytes: UInt64) {
            var entries = Tree.Entries()
            for directory in 0..<50 {
                entries.append(try entry(ByteString("/d\(directory)"), .directory, time))
                entries.append(try entry(ByteString("/d\(directory)/link"), .symlink(target: "x"), time))
                for file in 0..<(directory % 4) {
                    let digest = Digest(hashing: [UInt8(directory), UInt8(file)])
                    let size: UInt64 = file == 3 ? 100_000 : 700
                    entries.append(
                        try entry(ByteString("/d\(directory)/\(file)"), .file(digest: digest, size: size), 5))
                }
            }
            var result: (contents: [[Digest]], others: [[Digest]], bytes: UInt64) = ([], [], 0)
            try LayerPacking().forEachPiece(entries) { piece in
                result.bytes += piece.count
                let hasContent =
                    switch piece {
                    case .file: true
                    case .group(let parts, _): parts.contains { if case .content = $0 { true } else { false } }
                    }
                if hasContent { result.contents.append(piece.keys) } else { result.others.append(piece.keys) }
            }
            return result
        }
        let (old, new) = (try keys(1_000), try keys(2_000))
        #expect(old.contents == new.contents && old.contents.count > 30)
        #expect(old.others != new.others && old.others.count == new.others.count)
        #expect(old.bytes == new.bytes && old.bytes % 512 == 0)
    }

    @Test("other compressions, levels and times are other layers") func others() throws {
        let contents = CountingContents(fixture.contents)
        _ = try export("a", contents: contents)
        var exporter = ImageExporter(contents: contents)
        exporter.cache = try cache()
        exporter.packing.sourceDateEpoch = 1_700_000_000
        exporter.compressionLevel = 9
        let best = try exporter.writeLayout(fixture.image, named: [], at: folder.at("b"))
        exporter.packing.sourceDateEpoch = 1_500_000_000
        exporter.compressionLevel = nil
        let older = try exporter.writeLayout(fixture.image, named: [], at: folder.at("c"))
        #expect(Set([best, older].flatMap { $0.manifest.layers }.map(\.digest)).count == 4)
        #expect(best.diffIDs != older.diffIDs)
        _ = try ["a", "b", "c"].map { try ImageVerifier.verify(directory: folder.at($0)) }
    }

    @Test("a cached layer that was written to is never used", arguments: [true, false])
    func tampered(keepingSize: Bool) throws {
        let contents = CountingContents(fixture.contents)
        let first = try export("a", contents: contents)
        for name in try layers() {
            let file = try #require(FileHandle(forUpdatingAtPath: folder.path + "/cache/" + name))
            if !keepingSize { try file.seekToEnd() }
            try file.write(contentsOf: Data("tampered".utf8))
            try file.close()
        }
        let read = contents.bytes
        #expect(try export("b", contents: contents).digest == first.digest)
        #expect(contents.bytes == 2 * read)
        _ = try ImageVerifier.verify(directory: folder.at("b"))
        // The first image has the same inodes: the damage is its own.
        #expect(throws: TransportError.self) { try ImageVerifier.verify(directory: folder.at("a")) }
    }

    @Test("a copied cache is read before it is believed, and then serves") func copied() throws {
        let contents = CountingContents(fixture.contents)
        let first = try export("a", contents: contents)
        let read = contents.bytes
        try FileManager.default.moveItem(atPath: folder.path + "/cache", toPath: folder.path + "/old")
        try FileManager.default.copyItem(atPath: folder.path + "/old", toPath: folder.path + "/cache")
        #expect(try export("b", contents: contents).digest == first.digest)
        #expect(contents.bytes == read)
    }

    @Test("of a changed layer only what changed is compressed, and with its diffID known only that is read")
    func variant() throws {
        var contents = fixture.contents
        let digest = contents.insert([9, 9])
        var image = fixture.image
        image.layers[0].entries.append(
            Entry(
                path: try TreePath("/usr/share/zz"), metadata: Metadata(mode: 0o644),
                kind: .file(digest: digest, size: 2)))
        let packing = LayerPacking(sourceDateEpoch: 1_700_000_000)
        let diffIDs = try image.layers.map { try packing.measure($0.entries, from: contents).diffID }
        let counting = CountingContents(contents)
        let first = try export("a", contents: counting)
        let read = counting.bytes
        for index in image.layers.indices {
            let diffID = diffIDs[index]
            // Known for the time bound of this test; the exporter asks only where none bites.
            image.layers[index].entries = Tree.Entries(image.layers[index].entries.map(packing.recorded))
            image.layers[index].knownDiffID = { diffID }
        }
        let second = try export("b", image, contents: counting)
        #expect(second.diffIDs == diffIDs && second.diffIDs[0] != first.diffIDs[0])
        #expect(second.diffIDs[1] == first.diffIDs[1])
        // Neither the noise nor the text.
        #expect(counting.bytes - read < 100)
        let verified = try #require(try ImageVerifier.verify(directory: folder.at("b")).first)
        #expect(verified.entries[try TreePath("/usr/share/zz")] != nil)
        // The same bytes as without a cache.
        var plain = ImageExporter(contents: contents)
        plain.packing.sourceDateEpoch = 1_700_000_000
        #expect(try plain.writeLayout(image, named: [], at: folder.at("c")).digest == second.digest)
    }

    @Test("the least used layers go when there are too many") func eviction() throws {
        let contents = CountingContents(fixture.contents)
        var exporter = ImageExporter(contents: contents)
        exporter.cache = LayerCache(try Files.open(folder.at("cache"), [.readOnly, .directory]), limit: 1_000)
        _ = try exporter.writeLayout(fixture.image, named: [], at: folder.at("a"))
        // The lower layer is larger than the cache, the upper is not.
        #expect(try layers().count == 1)
        exporter.compressionLevel = 9
        for _ in 0..<3 {
            exporter.compressionLevel = (exporter.compressionLevel ?? 9) - 1
            _ = try exporter.writeLayout(fixture.image, named: [], at: folder.at("a"))
        }
        #expect(try layers().count < 4)
    }

    @Test("damaged records are none") func records() throws {
        _ = try export("a", contents: CountingContents(fixture.contents))
        let name = try #require(try layers().first)
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: folder.path + "/cache/\(name).record")))
        let layer = try #require(CachedLayer(bytes: bytes))
        #expect(layer.bytes == bytes && !layer.segments.isEmpty)
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(CachedLayer(bytes: Array(bytes[..<count])) == nil)
        }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &generator)] ^=
                1 << UInt8.random(in: 0..<8, using: &generator)
            #expect(CachedLayer(bytes: damaged) == nil)
            // What a checksum does not tell: the same with a right one.
            damaged = Array(damaged.dropLast(32))
            if let read = CachedLayer(bytes: damaged + Digest(hashing: damaged).bytes) {
                #expect(read.segments.allSatisfy { $0.offset + UInt64($0.count) <= read.size })
            }
        }
    }
}

/// Counts the bytes that are read.
private final class CountingContents: ContentSource {
    private let contents: MemoryContents
    private let count = Mutex<UInt64>(0)

    init(_ contents: MemoryContents) { self.contents = contents }

    var bytes: UInt64 { count.withLock { $0 } }

    func size(of digest: Digest) -> UInt64? { contents.size(of: digest) }

    func readContent(_ digest: Digest, size: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try contents.readContent(digest, size: size) { piece in
            count.withLock { $0 += UInt64(piece.count) }
            try body(piece)
        }
    }
}
