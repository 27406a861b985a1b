import Bytes
import Digests
import OCI
import Tar
import Trees

@testable import ImageTransport

// What comes with images: archives, compressed streams, documents and names.

extension FuzzTarget {
    /// All of an archive: headers, PAX records, long names, sparse maps.
    static let tar = FuzzTarget(
        name: "tar",
        seeds: [seedTar([.directory, .file(size: 5), .symlink(target: "a"), .hardLink(target: "b"), .fifo])]
    ) { bytes in
        var decoder = TarDecoder()
        try bytes.withUnsafeBytes { buffer in
            var rest = buffer
            while let event = try decoder.next(&rest) {
                if case .member(let header) = event { _ = header.name.description }
            }
        }
        try decoder.finish()
    }

    /// PAX records, in front of a member that they are about.
    static let pax = FuzzTarget(
        name: "pax",
        seeds: [
            "11 path=a/b\n", "20 GNU.sparse.major=1\n20 GNU.sparse.minor=0\n",
            "23 GNU.sparse.map=0,5,9,1\n12 size=100\n",
            "26 SCHILY.xattr.user.a=b\n\n", "30 LIBARCHIVE.xattr.user.b=YQ\n", "17 mtime=-1.25\n",
        ].map { Array($0.utf8) }
    ) { bytes in
        let size = String(bytes.count, radix: 8)
        guard size.utf8.count <= 11 else { return }
        var block = seedTar([.file(size: 0)])[..<512]
        block[156] = UInt8(ascii: "x")
        block.replaceSubrange(
            124..<135, with: Array((String(repeating: "0", count: 11 - size.utf8.count) + size).utf8))
        let sum = block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.0) ? 32 : Int($1.1)) }
        let digits = String(sum, radix: 8)
        block.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - digits.count) + digits + "\u{0} ").utf8))
        let filling = [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
        try tar.parse(Array(block) + bytes + filling + seedTar([.file(size: 0)]))
    }

    /// A layer in whatever compression, applied.
    static let layer = FuzzTarget(
        name: "layer",
        seeds: [
            seedTar([
                .directory, .file(size: 3), .symlink(target: "n0"), .hardLink(target: "n1"),
                .characterDevice(major: 1, minor: 3),
            ])
        ]
    ) { bytes in
        var limit = ExpansionLimit()
        limit.base = 16 << 20
        var stream = LayerStream(limit: limit, intake: HashingIntake())
        try bytes.withUnsafeBytes { try stream.read($0) }
        let layer: SourceImage.Layer = try stream.finish()
        _ = layer.isCanonical
        // What a layer makes is a tree that can be written and read.
        _ = try TreeDump.decode(TreeDump.encode(layer.tree))
    }

    /// The framing of gzip, zstd and xz.
    static let stream = FuzzTarget(
        name: "stream",
        seeds: [
            [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0, 0x68, 0x65, 0x6c, 0x6c, 0x6f],
            [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2],
            [
                0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4, 0xe6, 0xd6, 0xb4, 0x46, 0, 0, 0, 0, 0x1c, 0xdf, 0x44, 0x21, 0x1f,
                0xb6,
                0xf3, 0x7d, 1, 0, 0, 0, 0, 4, 0x59, 0x5a,
            ],
        ]
    ) { bytes in
        var limit = ExpansionLimit()
        limit.base = 16 << 20
        let decompressor = Decompressor(limit: limit)
        try bytes.withUnsafeBytes { try decompressor.decompress($0) { _ in } }
        try decompressor.finish { _ in }
    }

    /// gzip, by whoever is fastest: never another content than zlib reads, and whatever zlib takes.
    static let gzip = FuzzTarget(
        name: "gzip",
        seeds: [
            seedGzip((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 5) }, level: 6),
            seedGzip([UInt8](repeating: 7, count: 100_000), level: 1), seedGzip(Array("hello".utf8), level: 9),
            seedGzip((0..<3_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }, level: 6),
        ]
    ) { bytes in
        func content(byZlib: Bool, pieceSize: Int) throws -> [UInt8] {
            let decompressor = try GzipDecompressor(limit: 16 << 20, byZlib: byZlib)
            var content: [UInt8] = []
            for start in stride(from: 0, to: bytes.count, by: pieceSize) {
                try bytes[start..<min(bytes.count, start + pieceSize)].withUnsafeBytes {
                    try decompressor.decompress($0) { content.append(contentsOf: $0) }
                }
            }
            try decompressor.finish()
            return content
        }
        let expected = try? content(byZlib: true, pieceSize: 1 << 20)
        // Pieces end somewhere else for each input.
        let found = try? content(byZlib: false, pieceSize: 1 + bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xfff })
        if let expected, found != expected { fatalError("\(expected.count) bytes, not \(found?.count ?? -1)") }
        guard found != nil else { throw TransportError.gzip(reason: "refused", offset: 0) }
    }

    /// Manifest, index, configuration, layout and Docker's list; each is also tried as the others.
    static let document = FuzzTarget(
        name: "document",
        seeds: [
            #"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:\#(zeros)","size":2},"layers":[{"mediaType":"a/b","digest":"sha256:\#(zeros)","size":2}]}"#,
            #"{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:\#(zeros)","size":2,"platform":{"os":"linux","architecture":"arm"}}]}"#,
            #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:\#(zeros)"]},"config":{"Env":["A=b"],"Cmd":["x"]}}"#,
            #"[{"Config":"c.json","RepoTags":["a:b"],"Layers":["l/layer.tar"]}]"#, #"{"imageLayoutVersion":"1.0.0"}"#,
        ].map { Array($0.utf8) }
    ) { bytes in
        var accepted = false
        if let manifest = try? Manifest(parsing: bytes) {
            accepted = true
            _ = try Manifest(parsing: manifest.canonicalBytes)
        }
        if let index = try? ImageIndex(parsing: bytes) {
            accepted = true
            _ = try ImageIndex(parsing: index.canonicalBytes)
        }
        if let configuration = try? ImageConfiguration(parsing: bytes) {
            accepted = true
            _ = try ImageConfiguration(parsing: configuration.canonicalBytes)
        }
        if (try? DockerArchiveImage.parse(bytes)) != nil { accepted = true }
        if (try? ImageLayoutHeader(parsing: bytes)) != nil { accepted = true }
        if !accepted { _ = try JSONValue(parsing: bytes) }
    }

    /// Digests, references, media types, platforms, places and names.
    static let name = FuzzTarget(
        name: "name",
        seeds: [
            "sha256:\(zeros)", "ghcr.io:5000/a/b-c:1.0@sha256:\(zeros)", "application/vnd.oci.image.index.v1+json",
            "linux/arm64/v8", "oci:dir:ref", "docker-archive:f:a/b:c", "zlib 6 1f8b0800", "a/b:c+d",
        ].map { Array($0.utf8) }
    ) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        if let reference = try? Reference(parsing: text) {
            guard try Reference(parsing: reference.description) == reference else { fatalError("\(reference)") }
            _ = reference.qualified.description
        }
        _ = Reference.isReferenceName(text)
        _ = try? MediaType(parsing: text)
        _ = try? Platform(parsing: text)
        _ = try? ImageLocation(parsing: ByteString(bytes))
        _ = LayerEncoding(text)
        _ = try? RootExpression(text)
        _ = try? TreePath(ByteString(bytes))
        _ = try DescriptorDigest(parsing: text)
    }

    static let skeleton = FuzzTarget(
        name: "skeleton",
        seeds: [Array("layerfs-skeleton 1 sha256:\(zeros) 1024\n512 0 5 sha256:\(zeros)\n507\n".utf8)]
    ) { bytes in
        let skeleton = try Skeleton(parsing: bytes)
        guard skeleton.text == bytes else { fatalError("not canonical") }
    }

    private static let zeros = String(repeating: "0", count: 64)

    private static func seedTar(_ kinds: [TarHeader.Kind]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, kind) in kinds.enumerated() {
            let header = TarHeader(name: ByteString("n\(index)"), kind: kind, mode: 0o644)
            bytes += (try? TarEncoder.encode(header)) ?? []
            bytes += [UInt8](repeating: 0, count: kind.size > 0 ? 512 : 0)
        }
        return bytes + TarEncoder.endOfArchive
    }
}

private func seedGzip(_ content: [UInt8], level: Int32) -> [UInt8] {
    final class Collector: ByteSink {
        var bytes: [UInt8] = []
        func write(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }
    }
    let output = Collector()
    guard let encoder = try? GzipEncoder(output: output, level: level, header: GzipEncoder.plainHeader),
        (try? content.withUnsafeBytes { try encoder.write($0) }) != nil, (try? encoder.finish()) != nil
    else { fatalError("no seed") }
    return output.bytes
}
