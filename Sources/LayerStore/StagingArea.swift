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

    /// A name that nothing here has.
    func freshName() -> ByteString {
        ByteString(String(counter.add(1, ordering: .relaxed).oldValue))
    }

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
