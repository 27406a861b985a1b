import Bytes
import Digests
import Posix

/// The files of a directory of the store that spreads them over directories by the first two digits of their digests.
///
/// They are listed twice: what is known of a file is not kept for all of a million.
struct ShardFiles {
    private let parent: SharedDescriptor
    private let place: String
    private let digest: (ByteString) -> Digest?
    /// The directories, in order, and how many files each has.
    private var shards: [(name: ByteString, files: Int)] = []
    private(set) var count = 0
    /// Of all files.
    private(set) var bytes: UInt64 = 0

    /// - Parameters:
    ///   - place: the directory as reports name it.
    ///   - foreign: called with what is not the store's.
    ///   - digest: that of the content of a file, by its name below `parent`; nil for what is not the store's.
    ///   - body: called with the first byte and the contents of each directory, those that are empty or not there included.
    init(
        _ parent: borrowing OwnedDescriptor, _ place: String, foreign: (String) -> Void,
        digest: @escaping (ByteString) -> Digest?, _ body: (UInt8, Set<Digest>) throws -> Void
    ) throws {
        self.parent = SharedDescriptor(try parent.open(".", [.readOnly, .directory]))
        (self.place, self.digest) = (place, digest)
        var names: Set<ByteString> = []
        for shard in try parent.names() {
            if shard.kind == .directory, shard.name.count == 2 {
                names.insert(shard.name)
            } else {
                foreign("\(place)/\(shard.name)")
            }
        }
        for name in names.sorted() {
            let directory = try parent.open(name, [.readOnly, .directory, .noFollow])
            var present: Set<Digest> = []
            let before = count
            for file in try directory.names() {
                let path = name + "/" + file.name
                let status = try directory.status(of: file.name)
                if let content = digest(path), status.kind == .regular {
                    present.insert(content)
                    count += 1
                    bytes &+= status.size
                } else {
                    foreign("\(place)/\(path)")
                }
            }
            shards.append((name, count - before))
            if let first = Self.byte(name) { try body(first, present) }
        }
        for first in UInt8.min...UInt8.max where !names.contains(StoreDirectory.shard(first)) { try body(first, []) }
    }

    /// nil for a name that no directory of contents has.
    private static func byte(_ name: ByteString) -> UInt8? {
        UInt8(String(decoding: name.bytes, as: UTF8.self), radix: 16).flatMap {
            StoreDirectory.shard($0) == name ? $0 : nil
        }
    }

    /// Calls `body` with all files, some thousand at a time, in the order of their names. What was removed meanwhile is left out.
    func forEachPart(_ body: ([IntegrityCheck.StoredFile]) throws -> Void) throws {
        var part: [IntegrityCheck.StoredFile] = []
        for shard in shards where shard.files > 0 {
            if !part.isEmpty, part.count + shard.files > Self.partSize {
                try body(part)
                part = []
            }
            let directory = try parent.descriptor.open(shard.name, [.readOnly, .directory, .noFollow])
            let names = try directory.names().filter { $0.kind == .regular || $0.kind == .unknown }.map(\.name)
            for name in names.sorted() {
                let path = shard.name + "/" + name
                if let content = digest(path) { part.append(IntegrityCheck.StoredFile(digest: content, path: path)) }
            }
        }
        try body(part)
    }

    private static let partSize = 16_384
}
