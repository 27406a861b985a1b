public import Digests
import Tar
public import Trees

/// Takes the contents of a layer's files, one after the other, while the layer is read.
public protocol LayerIntake: AnyObject {
    /// A regular file begins.
    ///
    /// - Parameter size: in bytes, as its header says.
    func beginContent(_ metadata: Metadata, size: UInt64) throws
    func writeContent(_ piece: UnsafeRawBufferPointer) throws
    /// The file is whole; its digest.
    func endContent() throws -> Digest
    /// The next bytes of the layer's tar that are no content of a file.
    func writeOthers(_ piece: UnsafeRawBufferPointer) throws
}

/// Hashes contents and keeps nothing.
final class HashingIntake: LayerIntake {
    private var hasher = DigestHasher()

    func beginContent(_ metadata: Metadata, size: UInt64) { hasher = DigestHasher() }
    func writeContent(_ piece: UnsafeRawBufferPointer) { hasher.update(piece) }
    func endContent() -> Digest { hasher.finalize() }
    func writeOthers(_ piece: UnsafeRawBufferPointer) {}
}

/// Reads the tar of one layer, which whoever gives it hashes: its tree by way of a ``LayerReplay``, the contents of its files, and what else the tar has.
struct LayerReader {
    /// nil where members are not applied: then any archive will do.
    private var replay: LayerReplay?
    private var decoder = TarDecoder()
    private let intake: any LayerIntake
    /// Told of holes, whose zeros are made up and not in the tar.
    private let expand: (UInt64) throws -> Void
    private var current: (header: TarHeader, position: UInt64)?
    private var others: UInt64 = 0
    private var othersHasher = DigestHasher()
    /// Of the member that is read: the parts of its content that the tar has.
    private var runs: [(others: UInt64, offset: UInt64, count: UInt64)] = []
    private var parts: [Skeleton.Part] = []

    init(replay: LayerReplay? = nil, intake: any LayerIntake, expand: @escaping (UInt64) throws -> Void) {
        (self.replay, self.intake, self.expand) = (replay, intake, expand)
    }

    /// Reads the next bytes of the tar.
    mutating func read(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        var start = 0
        while let event = try decoder.next(&rest) {
            switch event {
            case .member(let header):
                try endMember()
                current = (header, 0)
                if case .file(let size) = header.kind {
                    let metadata = Metadata(
                        mode: header.mode, uid: header.uid, gid: header.gid,
                        modified: Timestamp(seconds: header.modified, nanoseconds: header.nanoseconds))
                    try intake.beginContent(metadata, size: size)
                }
            case .content(let piece):
                guard let header = current?.header, case .file = header.kind else { continue }
                let end = bytes.count - rest.count
                try addOthers(UnsafeRawBufferPointer(rebasing: bytes[start..<(end - piece.count)]))
                start = end
                try addContent(piece)
            case .hole(let count): try addHole(count)
            }
        }
        try addOthers(UnsafeRawBufferPointer(rebasing: bytes[start...]))
    }

    /// What a layer is.
    struct Layer {
        var replay: LayerReplay?
        var tree: Tree
        /// Of the tar; see ``Skeleton``.
        var parts: [Skeleton.Part]
        var tail: UInt64
        /// The digest of all bytes that are no content.
        var others: Digest
    }

    /// Ends the layer.
    ///
    /// - Parameter isVerified: whether its digest will be compared: then what some writers leave out at the end may be missing.
    consuming func finish(isVerified: Bool = false) throws -> Layer {
        try decoder.finish(lacksFilling: isVerified)
        try endMember()
        let tree = try replay?.endLayer() ?? .empty
        return Layer(replay: replay, tree: tree, parts: parts, tail: others, others: othersHasher.finalize())
    }

    private mutating func addOthers(_ piece: UnsafeRawBufferPointer) throws {
        if piece.isEmpty { return }
        others += UInt64(piece.count)
        othersHasher.update(piece)
        try intake.writeOthers(piece)
    }

    private mutating func addContent(_ piece: UnsafeRawBufferPointer) throws {
        let count = UInt64(piece.count)
        let position = current?.position ?? 0
        if others == 0, let last = runs.indices.last, runs[last].offset + runs[last].count == position {
            runs[last].count += count
        } else {
            runs.append((others, position, count))
            others = 0
        }
        current?.position = position + count
        try intake.writeContent(piece)
    }

    private mutating func addHole(_ count: UInt64) throws {
        try expand(count)
        current?.position += count
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 256 << 10)))
        var left = count
        while left > 0 {
            let piece = min(left, UInt64(zeros.count))
            try zeros.withUnsafeBytes { try intake.writeContent(UnsafeRawBufferPointer(rebasing: $0[..<Int(piece)])) }
            left -= piece
        }
    }

    private mutating func endMember() throws {
        guard let (header, _) = current else { return }
        current = nil
        var digest = Digest.empty
        if case .file = header.kind { digest = try intake.endContent() }
        for run in runs {
            parts.append(
                Skeleton.Part(others: run.others, offset: run.offset, count: run.count, content: digest))
        }
        runs.removeAll(keepingCapacity: true)
        try replay?.add(header, digest: digest)
    }
}
