import Bytes
import Posix
import Synchronization
import SystemPackage

/// The directory of a store, opened: the descriptors that everything else works relative to.
final class StoreDirectory: Sendable {
    let path: ByteString
    let root: OwnedDescriptor
    let blobs: OwnedDescriptor
    let nodes: OwnedDescriptor
    let layerReferences: OwnedDescriptor
    let imageReferences: OwnedDescriptor
    /// Why the store cannot be written; nil when it can.
    let readOnlyReason: String?
    private let format: Mutex<StoreFormat>

    /// The mode of directories, of which umask(2) takes away: nobody's umask gives everybody the right to write.
    static let directoryMode: UInt16 = 0o775

    private static let directories: [ByteString] = [
        "blobs", "blobs/sha256", "nodes", "refs", "refs/layers", "refs/images", "cache", "cache/layers", "staging",
    ]

    /// Opens the store at `path`.
    ///
    /// One that is to be added to is made where there is nothing, or an empty directory.
    ///
    /// - Throws: ``LayerStoreError`` when there is no store, or one of a format that this program cannot read, one that somebody
    ///   else could have written, or one to be written on a network file system.
    init(_ path: ByteString, _ access: Store.Access, _ trust: StoreTrust) throws(LayerStoreError) {
        self.path = path
        let creating = access == .adding
        if creating { try Self.makeDirectories(path) }
        let opened: OwnedDescriptor
        do {
            opened = try Files.open(path, [.readOnly, .directory])
        } catch  where error.errno == .noSuchFileOrDirectory {
            throw .noStore(path)
        } catch {
            throw .system(step: "open the store", error)
        }
        try trust.check(opened, path)
        if access != .reading { try Self.checkIsLocal(opened, path) }
        let format: StoreFormat
        if let found = try Self.readFormat(opened, path: path) {
            format = found
        } else if creating {
            format = try Self.initialise(opened, path: path)
        } else {
            throw .noStore(path)
        }
        do {
            blobs = try opened.open("blobs/sha256", [.readOnly, .directory])
            nodes = try opened.open("nodes", [.readOnly, .directory])
            layerReferences = try opened.open("refs/layers", [.readOnly, .directory])
            imageReferences = try opened.open("refs/images", [.readOnly, .directory])
        } catch {
            throw .system(step: "open the store's directories", error)
        }
        readOnlyReason = format.readOnlyReason
        self.format = Mutex(format)
        root = opened
    }

    /// Makes the store one that uses `features`, which it is durably before this returns: a program that does not know one
    /// is told so when it opens the store.
    func require(_ features: [String]) throws(LayerStoreError) {
        let result = format.withLock { format -> Result<Void, LayerStoreError> in
            if features.allSatisfy(format.features.incompatible.contains) { return .success(()) }
            do throws(LayerStoreError) {
                // Another command may have changed it meanwhile.
                var changed = try Self.readFormat(root, path: path) ?? format
                let missing = features.filter { !changed.features.incompatible.contains($0) }
                if !missing.isEmpty {
                    changed.features.incompatible += missing
                    let bytes = try changed.encode()
                    try during("change the store's format") { () throws(SystemError) in
                        try Self.write(bytes, root)
                    }
                }
                format = changed
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Replaces the file of the format, durably.
    ///
    /// - Parameter prepare: flushes what must be there before it has its name. Called when its own bytes are flushed: a journal
    ///   has most of what was made before it then, too.
    private static func write(
        _ format: [UInt8], _ root: borrowing OwnedDescriptor, after prepare: () throws(SystemError) -> Void = {}
    ) throws(SystemError) {
        let temporary = ByteString(".layerfs.json.\(CurrentProcess.identifier)")
        let file = try root.open(temporary, [.writeOnly, .create, .truncate], mode: 0o644)
        try file.writeAll(format)
        try file.sync()
        try prepare()
        try root.rename(temporary, to: StoreFormat.fileName, in: root, replacing: true)
        try root.sync()
    }

    /// `cache/`, made where it is missing: all of it may be deleted at any time.
    func openCache() throws(SystemError) -> OwnedDescriptor {
        do {
            return try root.open("cache", [.readOnly, .directory, .noFollow])
        } catch  where error.errno == .noSuchFileOrDirectory {
            try root.ensureDirectory("cache", mode: Self.directoryMode)
            return try root.open("cache", [.readOnly, .directory, .noFollow])
        }
    }

    private static func checkIsLocal(
        _ root: borrowing OwnedDescriptor, _ path: ByteString
    ) throws(LayerStoreError) {
        let kind = try during("examine the store's file system") { () throws(SystemError) in
            try root.networkFileSystem()
        }
        if let kind { throw .networkFileSystem(path, kind: kind) }
    }

    private static func readFormat(
        _ root: borrowing OwnedDescriptor, path: ByteString
    ) throws(LayerStoreError) -> StoreFormat? {
        let bytes: [UInt8]
        do {
            bytes = try root.open(StoreFormat.fileName, [.readOnly, .noFollow]).readAll(limit: 1 << 16)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .system(step: "read the store's format", error)
        }
        return try StoreFormat.decode(bytes, path: path + "/" + StoreFormat.fileName)
    }

    /// Makes a store of an empty directory; one command at a time, of those that find it empty.
    private static func initialise(
        _ root: borrowing OwnedDescriptor, path: ByteString
    ) throws(LayerStoreError) -> StoreFormat {
        let lock: FileLock
        do {
            lock = try FileLock.waiting(for: root, .exclusive, patience: .seconds(10))
        } catch {
            throw .system(step: "make a store", error)
        }
        return try lock.whileHeld { () throws(LayerStoreError) in
            if let made = try readFormat(root, path: path) { return made }
            return try fill(root, path: path)
        }
    }

    /// Makes everything that a store begins with.
    private static func fill(
        _ root: borrowing OwnedDescriptor, path: ByteString
    ) throws(LayerStoreError) -> StoreFormat {
        let known = Set(directories + ["lock", StoreFormat.fileName])
        do {
            for entry in try root.names() where !known.contains(entry.name) && !entry.name.hasPrefix(".layerfs.json.") {
                throw LayerStoreError.notAStore(path)
            }
            for directory in directories { try root.ensureDirectory(directory, mode: directoryMode) }
            try (try root.open("lock", [.writeOnly, .create], mode: 0o664)).close()
            // The format file comes last: a directory that has it is a whole store.
            let format = try StoreFormat.current.encode()
            try write(format, root) { () throws(SystemError) in
                for directory: ByteString in ["blobs", "refs"] {
                    try root.open(directory, [.readOnly, .directory]).sync()
                }
                // The store's own name. It is where it is, also below a directory that may not be read.
                do throws(SystemError) {
                    try root.open("..", [.readOnly, .directory]).sync()
                } catch  where error.errno == .permissionDenied {}
            }
        } catch let error as SystemError {
            throw .system(step: "make a store", error)
        } catch let error as LayerStoreError {
            throw error
        } catch {
            throw .damagedFormat(path, reason: "\(error)")
        }
        return .current
    }

    /// mkdir -p, durably but for the last name, which is flushed when there is a store in it.
    private static func makeDirectories(_ path: ByteString) throws(LayerStoreError) {
        do {
            if try Files.statusIfPresent(path, followingLink: true) != nil { return }
            let isAbsolute = path.bytes.first == UInt8(ascii: "/")
            var directory = SharedDescriptor(try Files.open(isAbsolute ? "/" : ".", [.readOnly, .directory]))
            let components = path.bytes.split(separator: UInt8(ascii: "/")).map { ByteString($0) }
            for (number, component) in components.enumerated() {
                if try !directory.descriptor.contains(component) {
                    try directory.descriptor.ensureDirectory(component, mode: directoryMode)
                    if number + 1 < components.count { try directory.descriptor.sync() }
                }
                directory = SharedDescriptor(try directory.descriptor.open(component, [.readOnly, .directory]))
            }
        } catch {
            throw .system(step: "make the store's directory", error)
        }
    }
}

extension StoreDirectory {
    /// Lets the store's group write to the file `name` of `directory` as well, if it may write to the store.
    func shareWithGroup(_ name: ByteString, in directory: borrowing OwnedDescriptor) {
        guard let status = try? root.status(), status.permissions & 0o020 != 0 else { return }
        // Somebody else's file is theirs to share.
        try? directory.setPermissions(0o664, of: name)
    }
}

extension StoreDirectory {
    /// The directory, below that of contents, of those whose digests begin with `first`.
    static func shard(_ first: UInt8) -> ByteString {
        let digits = Array("0123456789abcdef".utf8)
        return ByteString([digits[Int(first >> 4)], digits[Int(first & 15)]])
    }
}
