public import Bytes
public import Digests
public import Posix
import SystemPackage

/// The directories of `cache/roots/`: what layers add to a root, made by hard links, to be stacked by overlayfs.
///
/// Each is whole under its name, or not there. They are root's alone to look into: they may hold setuid files and device nodes. A write
/// to them is a write to the store.
public struct RootCache: Sendable {
    /// The directory of a store's cache that holds them.
    static let directoryName: ByteString = "roots"
    /// The bytes of a name.
    public static let nameLength = 64 + 1 + 64
    /// Lies below a single layer, since an overlay needs two.
    public static let empty: ByteString = "empty"

    /// Open for looking up names.
    public let directory: SharedDescriptor
    private let store: Store

    /// - Throws: ``LayerStoreError`` when the store cannot be written.
    public init(_ store: Store) throws(LayerStoreError) {
        self.store = store
        do {
            let cache = try store.directory.openCache()
            try cache.ensureDirectory(Self.directoryName, mode: 0o700)
            let roots = try cache.open(Self.directoryName, [.readOnly, .directory, .noFollow])
            if try roots.status().permissions != 0o700 { try roots.setPermissions(0o700) }
            try roots.ensureDirectory(Self.empty, mode: 0o755)
            directory = SharedDescriptor(roots)
        } catch {
            throw Self.explained(error, store)
        }
    }

    /// The name of a directory that holds what `key` says.
    ///
    /// - Parameter owner: the digest of a document of the store: the directory stays while a name reaches this.
    public static func name(owner: Digest, key: Digest) -> ByteString {
        ByteString("\(owner.hexadecimal).\(key.hexadecimal)")
    }

    public func contains(_ name: ByteString) throws(LayerStoreError) -> Bool {
        try during("look into the cache of roots") { () throws(SystemError) in try directory.descriptor.contains(name) }
    }

    /// A place on the store's file system to make one in.
    public func scratch() throws(LayerStoreError) -> ScratchRoot {
        do {
            return try ScratchRoot(in: store)
        } catch .system(_, let error) {
            throw Self.explained(error, store)
        }
    }

    /// Takes over what was made in `roots`, durably, under their names. One that another command has made meanwhile is left as it is.
    public func keep(_ roots: [(name: ByteString, root: ScratchRoot)]) throws(LayerStoreError) {
        guard !roots.isEmpty else { return }
        try during("keep what was made in the cache of roots") { () throws(SystemError) in
            // What has a name is believed: it must be on the disk first.
            try directory.descriptor.syncFileSystem()
            for (name, root) in roots {
                do throws(SystemError) {
                    try root.parent.rename(ScratchRoot.name, to: name, in: directory.descriptor, replacing: false)
                } catch  where error.errno == .fileExists || error.errno == .directoryNotEmpty {
                    continue
                }
            }
        }
    }

    private static func explained(_ error: SystemError, _ store: Store) -> LayerStoreError {
        Store.forbidsWriting(error)
            ? .readOnly(store.path, reason: "\(error)") : .system(step: "make a place for roots in the store", error)
    }
}
