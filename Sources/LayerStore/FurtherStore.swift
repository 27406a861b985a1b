public import Bytes
public import Digests
import Posix
import SystemPackage
public import Trees

/// A further store: contents and names that the store itself lacks are looked up there, as in git's alternates
/// (gitrepository-layout(5), objects/info/alternates). It is only read.
final class FurtherStore: Sendable {
    let directory: StoreDirectory
    let references: References
    /// Only asked for what it remembers of inodes; nil when it cannot be read.
    let index: LayerIndex?
    /// Held as long as the store is open: nothing in it can be removed meanwhile.
    private let lock: StoreLock

    private init(_ directory: StoreDirectory, patience: Duration) throws(LayerStoreError) {
        self.directory = directory
        references = References(store: directory)
        lock = try StoreLock(directory, .shared, patience: patience)
        index = try? LayerIndex(path: directory.path + "/" + StoreIndex.fileName, access: .reading)
    }

    /// Opens the stores at `paths`; each once, and without `own`.
    ///
    /// - Returns: those that are there, and the paths at which there is none.
    static func open(
        _ paths: [ByteString], beside own: StoreDirectory, patience: Duration, trust: StoreTrust
    ) throws(LayerStoreError) -> (stores: [FurtherStore], absent: [ByteString]) {
        var (stores, absent): ([FurtherStore], [ByteString]) = ([], [])
        var seen = [try own.identity]
        for path in paths {
            do throws(LayerStoreError) {
                let directory = try StoreDirectory(path, .reading, trust)
                let identity = try directory.identity
                if seen.contains(identity) { continue }
                seen.append(identity)
                stores.append(try FurtherStore(directory, patience: patience))
            } catch .noStore {
                absent.append(path)
            }
        }
        return (stores, absent)
    }
}

extension StoreDirectory {
    fileprivate var identity: FileIdentity {
        get throws(LayerStoreError) {
            try during("examine the store") { () throws(SystemError) in try root.status().identity }
        }
    }
}

/// Where the contents, and the names, of a store may be.
public struct StorePaths: Hashable, Sendable {
    /// The store that is worked on.
    public var own: ByteString
    /// Others that are only read, in the order in which they are searched.
    public var further: [ByteString]

    public init(_ own: ByteString, further: [ByteString] = []) {
        (self.own, self.further) = (own, further)
    }
}

/// A name that can be used in expressions.
public struct NamedRecord: Hashable, Sendable {
    public var name: Name
    public var kind: NamedKind
    public var record: Digest
    /// The further store that has the name; nil for the store itself.
    public var store: ByteString?
}

extension Store {
    /// What `name` stands for, in the store itself or else in the first further store that has it; nil when none has.
    public func lookUp(_ name: Name) throws(LayerStoreError) -> (kind: NamedKind, record: Digest)? {
        if let found = try lookUpOwn(name) { return found }
        for store in further {
            if let found = try Self.lookUp(name, in: store.references) { return found }
        }
        return nil
    }

    /// What `name` stands for in the store itself.
    func lookUpOwn(_ name: Name) throws(LayerStoreError) -> (kind: NamedKind, record: Digest)? {
        try Self.lookUp(name, in: references)
    }

    private static func lookUp(
        _ name: Name, in references: References
    ) throws(LayerStoreError) -> (kind: NamedKind, record: Digest)? {
        for kind in NamedKind.allCases {
            if let digest = try references.digest(of: name, kind) { return (kind, digest) }
        }
        return nil
    }

    /// All names: those of the store itself, layers first, sorted; then those of each further store that were not met before.
    public func namedRecords() throws(LayerStoreError) -> [NamedRecord] {
        var seen: Set<Name> = []
        var result: [NamedRecord] = []
        for references in [references] + further.map(\.references) {
            let store = references.store === directory ? nil : references.store.path
            var names: [NamedRecord] = []
            for kind in NamedKind.allCases {
                for name in try references.names(kind) where !seen.contains(name) {
                    guard let record = try references.digest(of: name, kind) else { continue }
                    names.append(NamedRecord(name: name, kind: kind, record: record, store: store))
                }
            }
            seen.formUnion(names.map(\.name))
            result += names
        }
        return result
    }

    /// Names that a person may have meant by `name`, the nearest first.
    public func near(_ name: Name) throws(LayerStoreError) -> [String] {
        EditDistance.near(name.text, among: try namedRecords().map(\.name.text))
    }

    /// The further stores that were named but are not there.
    public var absentStores: [ByteString] { blobs.absent }
}
