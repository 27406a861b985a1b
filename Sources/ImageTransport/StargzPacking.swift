import Bytes
import Digests
import Foundation
import OCI
import Posix
import Tar
import Trees

/// What an eStargz layer has beside its files (stargz-snapshotter, docs/estargz.md).
enum Stargz {
    static let indexName: ByteString = "stargz.index.json"
    /// Says that nothing is to be fetched before a container starts; its content is one byte.
    static let landmarkName: ByteString = ".no.prefetch.landmark"
    static let landmark: [UInt8] = [0xf]
    /// Of a layer's descriptor: the digest of the index, and the size of the uncompressed layer.
    static let indexDigestKey = "containerd.io/snapshot/stargz/toc.digest"
    static let sizeKey = "io.containers.estargz.uncompressed-size"
    /// Larger files are compressed in pieces, each of which can be fetched by itself.
    static let chunkSize: UInt64 = 4 << 20

    /// An empty gzip member, 51 bytes, whose extra field says where the index is.
    static func footer(indexOffset: UInt64) -> [UInt8] {
        let digits = String(indexOffset, radix: 16)
        let text = String(repeating: "0", count: 16 - digits.count) + digits + "STARGZ"
        // FEXTRA; the field's length, its identifier SG, its own length (RFC 1952, section 2.3.1.1).
        let header: [UInt8] = [
            0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 26, 0, UInt8(ascii: "S"), UInt8(ascii: "G"), 22, 0,
        ]
        return header + Array(text.utf8) + [1, 0, 0, 0xff, 0xff] + [UInt8](repeating: 0, count: 8)
    }
}

extension ImageExporter {
    /// Packs `entries` as an eStargz layer: a tar whose files are gzip members of their own, with an index of them.
    ///
    /// - Returns: the digest of the layer's tar, which has the index in it and so depends on how it was compressed.
    func packStargz(_ entries: Tree.Entries, into sink: any ByteSink) throws -> (LayerPacking.Result, index: Digest) {
        let reserved = [Stargz.indexName, Stargz.landmarkName].map { try? TreePath("/" + $0) }
        if let taken = entries.first(where: { reserved.contains($0.path) }) {
            throw TransportError.reservedName(taken.path)
        }
        let members = StargzMembers(output: sink, level: compressionLevel ?? Compression.gzip.usualLevel, pool: pool)
        let landmark = TarHeader(
            name: Stargz.landmarkName, kind: .file(size: UInt64(Stargz.landmark.count)), mode: 0o644)
        try members.begin(landmark, digest: Digest(hashing: Stargz.landmark))
        try Stargz.landmark.withUnsafeBytes { try members.content($0) }
        members.endContent()
        for entry in LayerPacking.ordered(entries) {
            var digest: Digest?
            if case .file(let own, _) = entry.kind { digest = own }
            try members.begin(packing.header(for: entry), digest: digest)
            guard case .file(let digest, let size) = entry.kind, size > 0 else { continue }
            try contents.readChecked(digest, size: size, path: entry.path) { piece in
                try members.content(piece)
                try progress?(UInt64(piece.count))
            }
            members.endContent()
        }
        return try members.finish()
    }
}

/// Cuts a tar into gzip members at the beginnings of contents, compresses them on all workers, and keeps the index.
private final class StargzMembers {
    private let output: any ByteSink
    private let level: Int
    private let pool: WorkerPool
    private var tar = DigestHasher()
    private var written: UInt64 = 0
    /// Rows of the index, and which of them begin with which member.
    private var rows: [Row] = []
    private var pending: [(bytes: [UInt8], row: Int?)] = []
    private var pendingSize = 0
    private var current: [UInt8] = []
    private var currentRow: Int?
    /// Of the content that is being written: the piece, the row of its file once it has one, and where the piece begins.
    private var chunk: DigestHasher?
    private var fileRow: Int?
    private var fileOffset: UInt64 = 0

    private struct Row {
        var members: [JSONValue.Member]
        var offset: UInt64?
        var chunkOffset: UInt64 = 0
        var chunkSize: UInt64?
        var chunkDigest: Digest?
    }

    init(output: any ByteSink, level: Int, pool: WorkerPool) {
        (self.output, self.level, self.pool) = (output, level, pool)
    }

    /// A member of the tar.
    func begin(_ header: TarHeader, digest: Digest?) throws {
        put(try TarEncoder.encode(header))
        rows.append(Row(members: Self.members(header, digest)))
    }

    /// Bytes of the content of the last file.
    func content(_ piece: UnsafeRawBufferPointer) throws {
        var rest = piece
        while !rest.isEmpty {
            if chunk == nil { try beginChunk() }
            let room = Stargz.chunkSize - UInt64(chunk?.count ?? 0)
            let taken = UnsafeRawBufferPointer(rebasing: rest[..<min(rest.count, Int(room))])
            chunk?.update(taken)
            put(taken)
            rest = UnsafeRawBufferPointer(rebasing: rest[taken.count...])
            if chunk?.count == Stargz.chunkSize { endChunk() }
        }
    }

    /// The content of the last file is whole; what follows in the tar goes into the same member.
    func endContent() {
        endChunk()
        put([UInt8](repeating: 0, count: TarEncoder.padding(after: fileOffset)))
        (fileRow, fileOffset) = (nil, 0)
    }

    private func beginChunk() throws {
        try cut()
        if let file = fileRow {
            let name = rows[file].members.filter { $0.key == "name" }
            rows.append(Row(members: name + [.init("type", .string("chunk"))]))
        } else {
            fileRow = rows.count - 1
        }
        currentRow = rows.count - 1
        chunk = DigestHasher()
    }

    private func endChunk() {
        guard let hasher = chunk else { return }
        let count = hasher.count
        rows[rows.count - 1].chunkOffset = fileOffset
        rows[rows.count - 1].chunkSize = count
        rows[rows.count - 1].chunkDigest = hasher.finalize()
        fileOffset += count
        chunk = nil
    }

    private func put(_ bytes: UnsafeRawBufferPointer) {
        tar.update(bytes)
        current.append(contentsOf: bytes)
    }

    private func put(_ bytes: [UInt8]) { bytes.withUnsafeBytes { put($0) } }

    /// Ends the gzip member; the next bytes begin another.
    private func cut() throws {
        guard !current.isEmpty else { return }
        pendingSize += current.count
        pending.append((current, currentRow))
        current = []
        currentRow = nil
        if pendingSize > 16 << 20 || pending.count >= 512 { try flush() }
    }

    private func flush() throws {
        let (batch, level) = (pending, level)
        pending = []
        pendingSize = 0
        let members = try pool.map(batch.count) { (index) throws(TransportError) in
            try GzipCompressor.member(batch[index].bytes, level: level)
        }
        for (member, (_, row)) in zip(members, batch) {
            if let row { rows[row].offset = written }
            try write(member)
        }
    }

    private func write(_ bytes: [UInt8]) throws {
        written += UInt64(bytes.count)
        try output.write(bytes)
    }

    func finish() throws -> (LayerPacking.Result, index: Digest) {
        try cut()
        try flush()
        let index = JSONValue.object([
            "version": .integer(1), "entries": .array(rows.map(Self.json)),
        ]).canonicalBytes
        let offset = written
        put(
            try TarEncoder.encode(
                TarHeader(name: Stargz.indexName, kind: .file(size: UInt64(index.count)), mode: 0o444)))
        put(index)
        put([UInt8](repeating: 0, count: TarEncoder.padding(after: UInt64(index.count))))
        put(TarEncoder.endOfArchive)
        try cut()
        try flush()
        try write(Stargz.footer(indexOffset: offset))
        let size = tar.count
        let copy = tar
        return (LayerPacking.Result(diffID: DiffID(copy.finalize()), size: size), Digest(hashing: index))
    }

    // MARK: The index

    private static func json(_ row: Row) -> JSONValue {
        var members = row.members
        func add(_ key: String, _ value: UInt64?) {
            if let value, value > 0 { members.append(.init(key, .integer(Int64(clamping: value)))) }
        }
        add("offset", row.offset)
        add("chunkOffset", row.chunkOffset)
        add("chunkSize", row.chunkSize)
        if let digest = row.chunkDigest { members.append(.init("chunkDigest", .string("\(digest)"))) }
        return .object(members)
    }

    private static func members(_ header: TarHeader, _ digest: Digest?) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        func add(_ key: String, _ value: JSONValue) { members.append(.init(key, value)) }
        func text(_ bytes: ByteString) -> JSONValue { .string(String(decoding: bytes.bytes, as: UTF8.self)) }
        add("name", text(header.kind == .directory ? header.name + "/" : header.name))
        switch header.kind {
        case .file(let size):
            add("type", .string("reg"))
            if size > 0 { add("size", .integer(Int64(clamping: size))) }
        case .directory: add("type", .string("dir"))
        case .symlink(let target):
            add("type", .string("symlink"))
            add("linkName", text(target))
        case .hardLink(let target):
            add("type", .string("hardlink"))
            add("linkName", text(target))
        case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
            let isBlock = if case .blockDevice = header.kind { true } else { false }
            add("type", .string(isBlock ? "block" : "char"))
            add("devMajor", .integer(Int64(major)))
            add("devMinor", .integer(Int64(minor)))
        case .fifo, .other: add("type", .string("fifo"))
        }
        add("modtime", .string(RFC3339.text(secondsSinceEpoch: header.modified)))
        add("mode", .integer(Int64(header.mode)))
        if header.uid > 0 { add("uid", .integer(Int64(header.uid))) }
        if header.gid > 0 { add("gid", .integer(Int64(header.gid))) }
        if !header.extendedAttributes.isEmpty {
            let values = header.extendedAttributes.map { attribute in
                JSONValue.Member(
                    String(decoding: attribute.name.bytes, as: UTF8.self),
                    .string(Data(attribute.value.bytes).base64EncodedString()))
            }
            add("xattrs", .object(values))
        }
        if let digest { add("digest", .string("\(digest)")) }
        return members
    }
}
