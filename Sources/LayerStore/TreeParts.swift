import Bytes
import CZstd
import Digests
import Trees

/// The dump of a tree as the store keeps it: parts of whole lines, each compressed and a blob of its own.
///
/// Where the dump is cut is told by the paths in it, so that trees which differ in a few places share all parts but those. The
/// parts, decompressed one after the other, are the text that the tree's digest is of.
enum TreeParts {
    /// The feature that stores with such trees have in ``StoreFormat``.
    static let feature = "tree-parts"
    /// The feature of stores with trees of which a time is kept apart.
    static let timesFeature = "tree-times"
    /// The most bytes that a part may have as text: what a damaged one can make its reader allocate. A line has some MiB at most.
    static let sizeLimit = 64 << 20
    /// The most bytes that a part may have compressed.
    static let compressedLimit = sizeLimit + 1 << 20

    /// Why bytes are no part of a tree.
    enum Fault: Error, CustomStringConvertible {
        case notZstd
        case tooLarge(UInt64)
        case outOfMemory
        case noTime(String)

        var description: String {
            switch self {
            case .notZstd: "a part of it is no frame of zstd that says its size"
            case .tooLarge(let size):
                "a part of it has \(size) bytes; the most that one may have is \(TreeParts.sizeLimit)"
            case .outOfMemory: "there is no memory to decompress it"
            case .noTime(let text): "\(text.prefix(64)) is no time"
            }
        }
    }
}

/// Cuts a dump into parts and compresses them.
final class TreePartWriter {
    /// A part ends behind the first line after so many bytes whose path says so, or after the most.
    private static let least = 16 << 10
    private static let most = 128 << 10
    /// Digests hardly compress, and the rest compresses well at any level: 20 % more at level 19 takes a hundred times as long.
    private static let level: Int32 = 3

    private let context: OpaquePointer
    private let time: DumpTime
    private var folded: [UInt8] = []
    private var part: [UInt8] = []
    private var compressed: [UInt8] = []

    /// - Parameter time: that for which there are to be marks.
    init(_ time: DumpTime) throws(TreeParts.Fault) {
        guard let context = ZSTD_createCCtx() else { throw .outOfMemory }
        self.context = context
        self.time = time
        part.reserveCapacity(Self.most)
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Takes some more whole lines, and gives each part that ends in them, compressed, to `body`.
    func write(_ lines: UnsafeRawBufferPointer, _ body: ([UInt8]) throws -> Void) throws {
        folded.removeAll(keepingCapacity: true)
        time.fold(lines, into: &folded)
        try folded.withUnsafeBytes { try cut($0, body) }
    }

    private func cut(_ lines: UnsafeRawBufferPointer, _ body: ([UInt8]) throws -> Void) throws {
        var start = 0
        while start < lines.count {
            // Lines that the part holds whatever they are need not be looked at.
            let held = part.count
            var end = min(start + max(Self.least - held, 0), lines.count)
            var isEnd = false
            while !isEnd, end < lines.count {
                // The first line that is not wholly among them may have begun there.
                let line = UnsafeRawBufferPointer(rebasing: lines[Self.lineStart(end, in: lines)...])
                let length = (line.firstIndex(of: UInt8(ascii: "\n")) ?? line.count - 1) + 1
                end = lines.count - line.count + length
                isEnd = Self.isMark(line) || held + end - start >= Self.most
            }
            part.append(contentsOf: lines[start..<end])
            start = end
            if isEnd { try finish(body) }
        }
    }

    /// Gives what is left to `body`.
    func finish(_ body: ([UInt8]) throws -> Void) throws {
        if part.isEmpty { return }
        let bound = ZSTD_compressBound(part.count)
        if compressed.count < bound { compressed = [UInt8](repeating: 0, count: bound) }
        let size = compressed.withUnsafeMutableBytes { output in
            part.withUnsafeBytes {
                ZSTD_compressCCtx(context, output.baseAddress, output.count, $0.baseAddress, $0.count, Self.level)
            }
        }
        // The level is right and there is room: what is left to fail is memory.
        guard ZSTD_isError(size) == 0 else { throw TreeParts.Fault.outOfMemory }
        part.removeAll(keepingCapacity: true)
        try body(Array(compressed[..<size]))
    }

    private static func lineStart(_ position: Int, in lines: UnsafeRawBufferPointer) -> Int {
        var start = position
        while start > 0, lines[start - 1] != UInt8(ascii: "\n") { start -= 1 }
        return start
    }

    /// Whether the path of the line, which ends at its first space, says that a part may end here: one of 256 does. FNV-1a, whose last
    /// bytes hardly reach its upper bits without the last two lines.
    private static func isMark(_ line: UnsafeRawBufferPointer) -> Bool {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in line {
            if byte == UInt8(ascii: " ") { break }
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        return hash >> 56 == 0
    }
}

/// Decompresses parts of dumps.
final class TreePartReader {
    private let context: OpaquePointer
    private let time: DumpTime?
    private var buffer: [UInt8] = []

    /// - Parameter time: that for which there are marks; nil where there are none.
    init(_ time: String?) throws(TreeParts.Fault) {
        guard let context = ZSTD_createDCtx() else { throw .outOfMemory }
        self.context = context
        self.time = time.flatMap { DumpTime(text: $0) }
        if let time, self.time == nil { throw .noTime(time) }
    }

    deinit { ZSTD_freeDCtx(context) }

    /// How many bytes a part says that it has, before times are put in the place of marks.
    func size(of part: [UInt8]) throws(TreeParts.Fault) -> UInt64 {
        let size = part.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // The two largest numbers stand for an error, and for a size that is not told.
        guard size < UInt64.max - 1 else { throw .notZstd }
        return size
    }

    /// Gives the text of a part to `body`, in pieces.
    ///
    /// - Throws: ``TreeParts/Fault`` for what is none, and what `body` throws.
    func read(_ part: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let size = try size(of: part)
        guard size <= UInt64(TreeParts.sizeLimit) else { throw TreeParts.Fault.tooLarge(size) }
        try part.withUnsafeBytes { part in
            if buffer.count < Int(size) { buffer = [UInt8](repeating: 0, count: Int(size)) }
            try buffer.withUnsafeMutableBytes { buffer in
                let count = ZSTD_decompressDCtx(context, buffer.baseAddress, Int(size), part.baseAddress, part.count)
                guard ZSTD_isError(count) == 0, count == Int(size) else { throw TreeParts.Fault.notZstd }
                let text = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if let time { try time.unfold(text, body) } else { try body(text) }
            }
        }
    }
}

/// A tree whose dump is on its way into the store.
struct StagedTree {
    /// Of the dump as text.
    var digest: Digest
    /// The blobs that it is in.
    var parts: [Digest]
    /// The time for which there are marks in them.
    var time: String
}

extension StoreSession {
    /// Takes the dump of `tree`, which is never in memory as a whole.
    func stage(_ tree: Tree) throws(LayerStoreError) -> StagedTree {
        // Before anything is named that an older program could not make sense of.
        try store.directory.require([TreeParts.feature, TreeParts.timesFeature])
        do {
            var (hasher, parts) = (DigestHasher(), [Digest]())
            let time = DumpTime(tree.entries.newest ?? Timestamp(seconds: 0))
            let writer = try TreePartWriter(time)
            try TreeDump.encode(tree) { lines in
                hasher.update(lines)
                try writer.write(lines) { parts.append(try stage(bytes: $0)) }
            }
            try writer.finish { parts.append(try stage(bytes: $0)) }
            return StagedTree(digest: hasher.finalize(), parts: parts, time: time.text)
        } catch let error as LayerStoreError {
            throw error
        } catch {
            throw .damagedRecord("the tree", reason: "\(error)")
        }
    }
}
