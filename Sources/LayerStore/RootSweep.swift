import Bytes
import Digests
import Posix
import SystemPackage

/// The part of a collection that removes directories of `cache/roots/`: those of what no name reaches, unless they are mounted.
struct RootSweep: ~Copyable {
    private let staging: OwnedDescriptor
    private let roots: OwnedDescriptor

    /// - Returns: nil where there are none, or only ones that are another user's to remove.
    static func open(of store: Store) throws(SystemError) -> RootSweep? {
        do {
            let cache = try store.directory.root.open("cache", [.readOnly, .directory])
            return RootSweep(
                staging: try store.directory.root.open("staging", [.readOnly, .directory]),
                roots: try cache.open(RootCache.directoryName, [.readOnly, .directory, .noFollow]))
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .permissionDenied {
            return nil
        }
    }

    private init(staging: consuming OwnedDescriptor, roots: consuming OwnedDescriptor) {
        self.staging = staging
        self.roots = roots
    }

    borrowing func run(_ sweep: inout Sweep) throws {
        let dead = try roots.names().map(\.name).filter { name in
            guard let owner = try? Digest(hexadecimal: name.bytes.prefix(64)) else { return false }
            return !sweep.live.isCacheOwner(owner)
        }
        if dead.isEmpty { return }
        // Of mounts in other namespaces, as those of containers, too.
        let mounted = try MountTable.everywhere().reduce(into: Set<ByteString>()) { names, table in
            for mount in table.mounts where mount.type == "overlay" { names.formUnion(Self.names(in: mount.options)) }
        }
        for name in dead where !mounted.contains(name) { try remove(name, &sweep) }
    }

    private borrowing func remove(_ name: ByteString, _ sweep: inout Sweep) throws {
        try sweep.checkpoint()
        let root = try roots.open(name, [.readOnly, .directory, .noFollow])
        if let youngest = sweep.youngest, try root.status().changed.seconds >= youngest {
            sweep.report.young += 1
            return
        }
        // Whole or gone: what is left when this is interrupted lies where the next command removes it.
        if !sweep.report.dryRun { try roots.rename(name, to: name, in: staging, replacing: false) }
        // The files are as old as their other names say; what counts is the directory.
        let youngest = sweep.youngest
        sweep.youngest = nil
        try StagingSweep.count(root, \.cache, &sweep)
        sweep.youngest = youngest
        if !sweep.report.dryRun { try staging.removeTree(name) }
    }

    /// The last components of the paths in the options of an overlay.
    private static func names(in options: ByteString) -> [ByteString] {
        options.bytes.split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") }
            .filter { $0.count == RootCache.nameLength }.map { ByteString($0) }
    }
}
