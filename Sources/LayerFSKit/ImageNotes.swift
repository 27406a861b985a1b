import Bytes
import Digests
import LayerStore
import Posix

/// Notes of what whole images are, so that one that was handed over before need not be composed to be known: its manifest, and of one
/// that was fetched all that it is made of, with how the inodes were.
///
/// A note lies in `cache/images/OWNER.KEY`: OWNER is the digest of a record that it is about, so that it goes when that goes; KEY is
/// that of all that decides what the image is, this program included. Notes can be made again, so that trouble with them is never
/// an error.
final class ImageNotes {
    /// What a note says.
    struct Note: Hashable {
        /// As a registry has it.
        var manifest: [UInt8]
        /// Empty where nothing is said of what the store has.
        var states = ContentStates.none
        /// Of the contents of files: how many, and their bytes.
        var cost = LayerCost([]) { _ in false }
    }

    private static let directoryName: ByteString = "images"
    /// How many are kept.
    private static let limit = 64
    private static let sizeLimit = 256 << 20

    private let directory: OwnedDescriptor
    private let program: String

    /// nil where the store has no cache, or it cannot be told which program this is.
    init?(_ workspace: Workspace) {
        guard let directory = workspace.store.cacheDirectory(Self.directoryName),
            let program = try? Files.statusIfPresent("/proc/self/exe", followingLink: true)
        else { return nil }
        self.directory = directory
        self.program =
            "\(program.identity.device) \(program.identity.inode) \(program.size) "
            + "\(program.modified.seconds).\(program.modified.nanoseconds)"
    }

    /// The name of the note about `owner` for `facts`. Another build of this program has others: it may make other images.
    func name(owner: Digest, _ facts: [String]) -> ByteString {
        // Quoted, so that none runs into the next.
        let text = ([program] + facts).map { $0.debugDescription }.joined(separator: "\n")
        return ByteString("\(owner.hexadecimal).\(Digest(hashing: Array(text.utf8)).hexadecimal)")
    }

    /// The note with this name; nil when there is none, or it is not whole.
    func find(_ name: ByteString) -> Note? {
        guard
            let bytes = try? directory.open(name, [.readOnly, .noFollow, .nonBlocking]).readAll(limit: Self.sizeLimit)
        else { return nil }
        return Note(bytes: bytes)
    }

    /// Keeps `note`. One that is torn is not believed, so that it is neither flushed nor renamed.
    func keep(_ note: Note, as name: ByteString) {
        do {
            try directory.open(name, [.writeOnly, .create, .truncate, .noFollow], mode: 0o644).writeAll(note.bytes)
            try evict()
        } catch {
            return
        }
    }

    private func evict() throws {
        let names = try directory.names().map(\.name)
        guard names.count > Self.limit else { return }
        let ages = names.compactMap { name in
            (try? directory.status(of: name)).map { (name: name, age: ($0.modified.seconds, $0.modified.nanoseconds)) }
        }
        for note in ages.sorted(by: { $0.age < $1.age }).prefix(names.count - Self.limit) {
            try directory.removeFile(note.name)
        }
    }
}

extension ImageNotes.Note {
    private static let magic = Array("layerfs image 1\n".utf8)
    private static let digestSize = 32
    private static let headSize = magic.count + 3 * 8

    /// As the cache keeps it: numbers are little-endian, and the digest of all bytes before it comes last.
    var bytes: [UInt8] {
        var result = Self.magic
        for number in [UInt64(manifest.count), UInt64(cost.contents), cost.bytes] {
            withUnsafeBytes(of: number.littleEndian) { result.append(contentsOf: $0) }
        }
        result += manifest
        result += states.bytes
        return result + Digest(hashing: result).bytes
    }

    private static func digest(of bytes: [UInt8], upTo end: Int) -> Digest {
        var hasher = DigestHasher()
        bytes.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
        return hasher.finalize()
    }

    /// nil for anything but what ``bytes`` gives.
    init?(bytes: [UInt8]) {
        let end = bytes.count - Self.digestSize
        guard end >= Self.headSize, Array(bytes[..<Self.magic.count]) == Self.magic,
            Self.digest(of: bytes, upTo: end) == Digest(bytes: bytes[end...])
        else { return nil }
        func number(_ index: Int) -> UInt64 {
            bytes.withUnsafeBytes {
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: Self.magic.count + index * 8, as: UInt64.self))
            }
        }
        guard let size = Int(exactly: number(0)), size <= end - Self.headSize,
            let contents = Int(exactly: number(1)),
            let states = bytes.withUnsafeBytes({
                ContentStates(bytes: UnsafeRawBufferPointer(rebasing: $0[(Self.headSize + size)..<end]))
            })
        else { return nil }
        manifest = Array(bytes[Self.headSize..<(Self.headSize + size)])
        self.states = states
        cost = LayerCost([]) { _ in false }
        (cost.contents, cost.bytes) = (contents, number(2))
    }
}
