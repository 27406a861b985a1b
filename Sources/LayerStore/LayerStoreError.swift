public import Bytes
public import Digests
public import Posix

/// What can go wrong with a store.
public enum LayerStoreError: Error, CustomStringConvertible {
    /// A system call failed while doing `step`.
    case system(step: String, SystemError)
    /// There is no store at `path`, and none was to be made.
    case noStore(ByteString)
    /// The directory `path` has files in it but is no store.
    case notAStore(ByteString)
    /// `layerfs.json` cannot be understood.
    case damagedFormat(ByteString, reason: String)
    /// The store was made by a newer layerfs.
    case newerFormat(ByteString, version: Int, features: [String])
    /// The store may be read, but not written, by this layerfs or this user.
    case readOnly(ByteString, reason: String)
    /// The store lies on a network file system, of which it may only be read.
    case networkFileSystem(ByteString, kind: String)
    /// Somebody else could have written the store.
    case untrusted(ByteString, reason: String)
    /// Somebody else holds the store's lock.
    case busy(ByteString, holder: String)
    /// The store has no blob of this digest, which something in it names.
    case missingBlob(Digest, wantedBy: String)
    /// The same, while a further store in which it may be is not there.
    case blobElsewhere(Digest, wantedBy: String, absent: [ByteString])
    /// The blob's content is not what its name says.
    case damagedBlob(Digest, path: ByteString, found: String)
    /// The same, with all that it touches.
    case damage(IntegrityReport.Damage)
    /// A record, tree or reference is not in the form that layerfs writes.
    case damagedRecord(ByteString, reason: String)
    /// A file kept changing while it was copied into the store.
    case sourceChanges(ByteString)
    /// The file to be copied is not a regular file any more.
    case sourceNotRegular(ByteString)
    /// No layer or image has this name.
    case noSuchName(String, near: [String])
    /// No store that is there has the name, and a further one is not there.
    case absentStores([ByteString], name: String)
    /// The name is one of a further store, which is only read.
    case nameElsewhere(String, store: ByteString)
    /// The name belongs to something else already.
    case nameTaken(String, detail: String)
    /// The index was made by a newer layerfs.
    case newerIndex(ByteString)
    /// The index was refused by SQLite.
    case index(step: String, message: String)

    public var description: String {
        switch self {
        case .system(let step, let error): "cannot \(step): \(error)"
        case .noStore(let path): "there is no store at \(path). `layerfs add` makes one; --store names another"
        case .notAStore(let path):
            "\(path) is a directory with files in it, but no layerfs store. Name an empty or new directory"
        case .damagedFormat(let path, let reason): "\(path) is damaged: \(reason)"
        case .newerFormat(let path, let version, let features):
            "the store \(path) has format \(version)"
                + (features.isEmpty ? "" : " with \(features.joined(separator: ", "))")
                + ", which this layerfs does not know. Use a newer layerfs"
        case .readOnly(let path, let reason): "the store \(path) cannot be written: \(reason)"
        case .networkFileSystem(let path, let kind):
            "the store \(path) cannot be written: it lies on a network file system (\(kind)), where locks and flushing cannot be "
                + "relied on. Put the store on a local disk; this one can be read"
        case .untrusted(let path, let reason):
            "the store \(path) is not opened: \(reason). If you trust those who can write to it, allow it: "
                + "LAYERFS_TRUST='\(path)'"
        case .busy(let path, let holder): "the store \(path) is in use by \(holder). Try again, or --wait SECONDS"
        case .missingBlob(let digest, let user): "the store lacks the content \(digest) that \(user) names"
        case .blobElsewhere(let digest, let user, let absent):
            "the store lacks the content \(digest) that \(user) names. It may be in \(Self.list(absent)), which LAYERFS_STORE "
                + "or --store names, and where there is no store now. Bring it back; `layerfs fsck` lists all that is missing"
        case .damagedBlob(let digest, let path, let found):
            "the content \(digest) is damaged: \(path) \(found). Nothing was made from it"
        case .damage(let damage):
            "the content \(damage.digest ?? "") is damaged: \(damage.place) \(damage.detail)\(damage.touchedText). Nothing was made "
                + "from it; `layerfs fsck --repair` replaces it by a good copy"
        case .damagedRecord(let what, let reason): "\(what) is damaged: \(reason)"
        case .sourceChanges(let path): "\(path) keeps changing while it is read. Stop its writer and add it again"
        case .sourceNotRegular(let path): "\(path) is not a regular file"
        case .noSuchName(let name, let near):
            "there is no layer or image '\(name)'"
                + (near.isEmpty ? ". `layerfs ls` lists them" : ". Did you mean \(near.joined(separator: ", "))?")
        case .absentStores(let paths, let name):
            "there is no layer or image '\(name)'. It may be in \(Self.list(paths)), where there is no store now"
        case .nameElsewhere(let name, let store):
            "'\(name)' is a name of the further store \(store), which is only read. To remove it there: --store \(store)"
        case .nameTaken(let name, let detail): "the name '\(name)' is taken: \(detail)"
        case .newerIndex(let path):
            "the index \(path) was written by a newer layerfs. Use that one, or remove the file: it is made anew from the contents"
        case .index(let step, let message):
            "cannot \(step) the index: \(message). `layerfs reindex` makes it anew"
        }
    }

    private static func list(_ paths: [ByteString]) -> String { paths.map(\.description).joined(separator: " or ") }
}

/// Runs `body`, and says what it was for when a system call in it fails.
func during<Result: ~Copyable>(
    _ step: @autoclosure () -> String, _ body: () throws(SystemError) -> Result
) throws(LayerStoreError) -> Result {
    do {
        return try body()
    } catch {
        throw .system(step: step(), error)
    }
}

extension IntegrityReport.Damage {
    /// `; it is in the layers a, b and the images c`
    fileprivate var touchedText: String {
        let parts = [("layer", layers), ("image", images)].filter { !$0.1.isEmpty }.map { kind, names in
            "the \(kind)\(names.count == 1 ? "" : "s") \(names.joined(separator: ", "))"
        }
        return parts.isEmpty ? "" : "; it is in " + parts.joined(separator: " and ")
    }
}
