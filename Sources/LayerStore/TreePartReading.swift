import Bytes
import Digests
import Posix
import Trees

extension Store {
    /// The tree `digest`, whose dump is in `parts`, with marks for `time`.
    ///
    /// Each part is read by itself, on all cores, and they are put together in their order.
    func tree(_ digest: Digest, in parts: [Digest], time: String?) throws(LayerStoreError) -> Tree {
        var (decoder, hasher) = (TreeDumpDecoder(), DigestHasher())
        do {
            let reading = OrderedWork<PartAhead, any Error>(WorkerPool(workers: parts.count < Self.fewParts ? 1 : nil))
            var begun = 0
            for part in parts {
                while begun < parts.count, reading.count < Self.window {
                    reading.add { [blobs, part = parts[begun]] in try Self.readAhead(part, time, from: blobs) }
                    begun += 1
                }
                if case .lines(let lines) = try reading.next() {
                    lines.text.withUnsafeBytes { hasher.update($0) }
                    try decoder.append(lines)
                } else {
                    let bytes = try blobs.uncheckedBytes(
                        of: part, limit: TreeParts.compressedLimit, wantedBy: Self.owner)
                    try TreePartReader(time).read(bytes) { text in
                        hasher.update(text)
                        try decoder.decode(text)
                    }
                }
            }
            let found = hasher.finalize()
            guard found == digest else { throw PartsFault(found: found) }
            return try decoder.finish()
        } catch let error as LayerStoreError {
            throw error
        } catch {
            // That of the text covers all parts. Which of them is damaged matters only when one is.
            for part in parts { _ = try blobs.bytes(of: part, limit: TreeParts.compressedLimit, wantedBy: Self.owner) }
            throw .damagedRecord(ByteString("the tree \(digest)"), reason: "\(error)")
        }
    }

    /// A part that was read before its turn.
    private enum PartAhead {
        case lines(TreeDumpLines)
        /// It is large, as those with long lines are, and damaged ones may say that they are. It is read by itself.
        case large
    }

    private static func readAhead(_ part: Digest, _ time: String?, from blobs: BlobStore) throws -> PartAhead {
        guard let size = try blobs.size(of: part), size <= UInt64(largest) else { return .large }
        let bytes = try blobs.uncheckedBytes(of: part, limit: largest, wantedBy: owner)
        let reader = try TreePartReader(time)
        guard try reader.size(of: bytes) <= UInt64(largest) else { return .large }
        var text: [UInt8] = []
        try reader.read(bytes) { text.append(contentsOf: $0) }
        return .lines(TreeDumpLines(text))
    }

    private static let owner = "a layer"
    /// A thread is started in the time that it takes to read a part or two.
    private static let fewParts = 4
    /// How many parts are read ahead, and the most bytes that one of those has, but for the time in each of its lines.
    private static let (window, largest) = (16, 256 << 10)

    /// The parts of a tree are as their digests say, and the tree is not.
    private struct PartsFault: Error, CustomStringConvertible {
        var found: Digest
        var description: String { "its parts together have the digest \(found)" }
    }
}
