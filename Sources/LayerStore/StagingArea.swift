import Bytes
import Posix
import Synchronization
import SystemPackage

/// A directory below `staging/` in which one command makes files before they get their final names.
///
/// It lies on the store's file system, so that a rename publishes. Its owner holds a lock on it: a staging directory that
/// can be locked belongs to a command that died, and whoever stages next removes it.
final class StagingArea: Sendable {
    /// The directory that holds staging directories.
    private let parent: SharedDescriptor
    private let claim: Claim
    private let counter = Atomic<UInt64>(0)
    /// Files that were forgotten and may still be there.
    private let forgotten = Mutex<Set<ByteString>>([])
    /// Devices whose files cannot share blocks with files here: what was refused once is refused a thousand times.
    private let foreign = Mutex<Set<UInt64>>([])

    /// A staging directory of ours, locked.
    private struct Claim: ~Copyable, Sendable {
        let name: ByteString
        let directory: OwnedDescriptor
        let lock: FileLock
    }

    /// A staging directory of `store`; what commands that died left there is removed.
    convenience init(_ store: StoreDirectory) throws(LayerStoreError) {
        do {
            let parent = SharedDescriptor(try store.root.open("staging", [.readOnly, .directory]))
            Self.removeAbandoned(in: parent.descriptor)
            try self.init(in: parent, prefix: "")
        } catch {
            throw .system(step: "make a staging directory", error)
        }
    }

    /// A staging directory that belongs to no store.
    convenience init(inside directory: ByteString) throws(LayerStoreError) {
        do {
            let parent = SharedDescriptor(try Files.open(directory, [.readOnly, .directory]))
            try self.init(in: parent, prefix: "layerfs-")
        } catch {
            throw .system(step: "make a staging directory", error)
        }
    }

    private init(in parent: SharedDescriptor, prefix: ByteString) throws(SystemError) {
        claim = try Self.claim(in: parent.descriptor, prefix: prefix)
        self.parent = parent
        // What has nothing to do with each other has no reason to be near.
        claim.directory.spreadSubdirectories()
    }

    var directory: OwnedDescriptor {
        _read { yield claim.directory }
    }

    private static func claim(
        in staging: borrowing OwnedDescriptor, prefix: ByteString
    ) throws(SystemError) -> Claim {
        var attempts = 8
        while true {
            let name = prefix + ByteString("\(CurrentProcess.identifier)-\(UInt32.random(in: 0...UInt32.max))")
            try staging.makeDirectory(name, mode: 0o700)
            do {
                let lock = try FileLock(try staging.open(name, [.readOnly, .directory]), .exclusive)
                return Claim(name: name, directory: try staging.open(name, [.readOnly, .directory]), lock: lock)
            } catch  where attempts > 0 {
                // Another command took it for abandoned between two of these calls.
                attempts -= 1
            }
        }
    }

    deinit {
        // What cannot be removed now is removed by the next command.
        try? parent.descriptor.removeTree(claim.name)
    }

    /// A name that nothing here has, and none that a directory of contents can have.
    func freshName() -> ByteString {
        ByteString("new-\(counter.add(1, ordering: .relaxed).oldValue)")
    }

    /// Whether a file named `name` lies here as a blob lies in the store: in a directory that may become the store's as a whole.
    static func liesInShard(_ name: ByteString) -> Bool { name.count > 2 && name.bytes[2] == UInt8(ascii: "/") }

    private static func removeAbandoned(in staging: borrowing OwnedDescriptor) {
        guard let entries = try? staging.names() else { return }
        for entry in entries {
            guard let file = try? staging.open(entry.name, [.readOnly, .directory, .noFollow]),
                let lock = try? FileLock(file, .exclusive)
            else { continue }
            try? staging.removeTree(entry.name)
            _ = consume lock
        }
    }
}

extension StagingArea {
    /// Writes a new file that belongs to this process; one that cannot be written whole is removed.
    ///
    /// - Parameters:
    ///   - name: a plain name, or `ab/cd…` as of a blob: the directory is made when it is not there yet.
    ///   - modified: its time of modification; nil for now.
    /// - Returns: what its inode is.
    /// - Throws: EEXIST when there is one.
    func write(
        _ bytes: [UInt8], to name: ByteString, mode: UInt16, modified: FileTime?
    ) throws(SystemError) -> InodeFingerprint {
        let file = try create(name, mode: mode)
        do {
            return try fill(file, bytes, mode: mode, modified: modified)
        } catch {
            discard(name)
            throw error
        }
    }

    private func fill(
        _ file: borrowing OwnedDescriptor, _ bytes: [UInt8], mode: UInt16, modified: FileTime?
    ) throws(SystemError) -> InodeFingerprint {
        try file.writeAll(bytes)
        if let modified { try file.setModified(modified) }
        var status = try file.status()
        // umask(2), or the directory's group.
        let owner = (CurrentProcess.effectiveUser, CurrentProcess.effectiveGroup)
        if modified != nil, CurrentProcess.canSetOwners, (status.uid, status.gid) != owner {
            try file.setOwner(uid: owner.0, gid: owner.1)
            status = try file.status()
        }
        if status.permissions != mode {
            try file.setPermissions(mode)
            status = try file.status()
        }
        return InodeFingerprint(status)
    }

    private func create(_ name: ByteString, mode: UInt16) throws(SystemError) -> OwnedDescriptor {
        let flags: OpenFlags = [.writeOnly, .create, .exclusive]
        do {
            return try directory.open(name, flags, mode: mode)
        } catch  where error.errno == .noSuchFileOrDirectory && name.bytes.contains(UInt8(ascii: "/")) {
            try directory.ensureDirectory(
                ByteString(name.bytes.prefix { $0 != UInt8(ascii: "/") }), mode: StoreDirectory.directoryMode)
            return try directory.open(name, flags, mode: mode)
        }
    }

    /// Whether files here may share blocks with files of `device`, as far as is known.
    func canShareBlocks(with device: UInt64) -> Bool { foreign.withLock { !$0.contains(device) } }

    /// Lets `file` share the blocks of `source`, which lies on `device`; false where the file systems cannot.
    func reflink(
        _ source: borrowing OwnedDescriptor, on device: UInt64, to file: borrowing OwnedDescriptor
    ) throws(SystemError) -> Bool {
        guard canShareBlocks(with: device) else { return false }
        do {
            try file.reflink(from: source)
            return true
        } catch  where FileCopy.isUnable(error) {
            // EINVAL and EPERM are about one file.
            if ![.invalidArgument, .permissionDenied, .notPermitted].contains(error.errno) {
                foreign.withLock { _ = $0.insert(device) }
            }
            return false
        }
    }

    /// Forgets a staged file; failing leaves it to be removed with the area, of which nothing is published as a whole then.
    func discard(_ name: ByteString) {
        do { try directory.removeFile(name) } catch { forgotten.withLock { _ = $0.insert(name) } }
    }

    /// What was forgotten and may still be there.
    var remains: Set<ByteString> { forgotten.withLock { $0 } }
}
