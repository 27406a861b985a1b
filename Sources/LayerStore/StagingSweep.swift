import Bytes
import Posix
import SystemPackage

/// What commands that died left in the staging area, and the clock of the file system.
struct StagingSweep: ~Copyable {
    private let directory: OwnedDescriptor

    init(of store: Store) throws(LayerStoreError) {
        directory = try during("open the staging area") { () throws(SystemError) in
            try store.directory.root.open("staging", [.readOnly, .directory])
        }
    }

    /// The time that the file system gives to a file which is made now: the clock that the ages of files are measured by, be
    /// it another machine's.
    func currentTime() throws(LayerStoreError) -> FileTime {
        try during("read the file system's clock") { () throws(SystemError) in
            try directory.open(".", [.writeOnly, .temporary]).status().changed
        }
    }

    /// Removes every staging directory. The caller has the store for itself, so none has a living owner, except that whose lock
    /// is held: then this very process is about to use it.
    func run(_ sweep: inout Sweep) throws {
        for entry in try directory.names() {
            guard entry.kind == .directory else {
                try sweep.remove(entry.name, in: directory, \.staging)
                continue
            }
            // Without the right to open it, it is another member's of the store's group, and theirs to remove.
            guard let opened = try? directory.open(entry.name, [.readOnly, .directory, .noFollow]),
                let lock = try? FileLock(opened, .exclusive)
            else { continue }
            try Self.count(directory.open(entry.name, [.readOnly, .directory, .noFollow]), \.staging, &sweep)
            if !sweep.report.dryRun { try directory.removeTree(entry.name) }
            _ = consume lock
        }
    }

    /// Removes the files in `directory` and below it, and counts them.
    static func count(_ directory: borrowing OwnedDescriptor, _ kind: Sweep.Kind, _ sweep: inout Sweep) throws {
        for entry in try directory.names() {
            if entry.kind == .directory {
                try count(directory.open(entry.name, [.readOnly, .directory, .noFollow]), kind, &sweep)
            } else {
                try sweep.remove(entry.name, in: directory, kind)
            }
        }
    }
}
