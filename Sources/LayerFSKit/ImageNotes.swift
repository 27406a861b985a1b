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
        /// Of an image that was fetched.
        var imported: Imported?
    }

    /// What a note says of an image that the store has from elsewhere.
    struct Imported: Hashable {
        /// Its bytes.
        var configuration: [UInt8]
        /// How many paths it has, and the bytes of its files, each path counted.
        var entries: Int
        var size: UInt64
        /// How many layers can only be exported with other compressed bytes than they had.
        var recompressed: Int
        /// How many contents files have, and their bytes.
        var cost: LayerCost
        /// Of all that it is made of, documents included.
        var states: ContentStates
    }

    private static let directoryName: ByteString = "images"
    /// How many are kept.
    private static let limit = 64
    private static let sizeLimit = 256 << 20

    private let directory: OwnedDescriptor
    private let program: String

    /// - Parameter program: the path of the one whose notes these are; that of this process by default.
    /// - Returns: nil where the store has no cache, or it cannot be told which program it is.
    init?(_ workspace: Workspace, of program: ByteString? = nil) {
        guard let directory = workspace.store.cacheDirectory(Self.directoryName),
            let program = try? Files.statusIfPresent(program ?? "/proc/self/exe", followingLink: true)
        else { return nil }
        self.directory = directory
        self.program =
            "\(program.identity.device) \(program.identity.inode) \(program.size) "
            + "\(program.modified.seconds).\(program.modified.nanoseconds)"
    }

    /// The name of the note about `owner` for `facts`. Another build of the program has others: it may make other images.
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
    private static let magic = Array("layerfs image 2\n".utf8)
    private static let digestSize = 32
    private static let numbers = 7
    private static let headSize = magic.count + numbers * 8

    /// As the cache keeps it: numbers are little-endian, and the digest of all bytes before it comes last.
    var bytes: [UInt8] {
        var result = Self.magic
        let facts = imported.map {
            [
                UInt64($0.configuration.count), UInt64($0.entries), $0.size, UInt64($0.recompressed),
                UInt64($0.cost.contents), $0.cost.bytes,
            ]
        }
        for number in [UInt64(manifest.count)] + (facts ?? [UInt64](repeating: 0, count: Self.numbers - 1)) {
            withUnsafeBytes(of: number.littleEndian) { result.append(contentsOf: $0) }
        }
        result += manifest
        if let imported { result += imported.configuration + imported.states.bytes }
        return result + Digest(hashing: result).bytes
    }

    /// nil for anything but what ``bytes`` gives.
    init?(bytes: [UInt8]) {
        let end = bytes.count - Self.digestSize
        guard end >= Self.headSize, bytes.starts(with: Self.magic) else { return nil }
        var hasher = DigestHasher()
        bytes.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
        guard hasher.finalize() == Digest(bytes: bytes[end...]) else { return nil }
        let numbers = bytes.withUnsafeBytes { bytes in
            (0..<Self.numbers).map {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: Self.magic.count + $0 * 8, as: UInt64.self))
            }
        }
        var rest = bytes[Self.headSize..<end]
        func take(_ count: UInt64) -> [UInt8]? {
            guard let count = Int(exactly: count), count <= rest.count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        guard let manifest = take(numbers[0]) else { return nil }
        self.manifest = manifest
        if numbers[1] == 0 {
            if !rest.isEmpty { return nil }
            return
        }
        guard let configuration = take(numbers[1]), let entries = Int(exactly: numbers[2]),
            let recompressed = Int(exactly: numbers[4]), let contents = Int(exactly: numbers[5]),
            let states = rest.withUnsafeBytes({ ContentStates(bytes: $0) })
        else { return nil }
        var cost = LayerCost([]) { _ in false }
        (cost.contents, cost.bytes) = (contents, numbers[6])
        imported = ImageNotes.Imported(
            configuration: configuration, entries: entries, size: numbers[3], recompressed: recompressed, cost: cost,
            states: states)
    }
}
