import Bytes
import Digests
import LayerStore
import Posix
import Synchronization
import SystemPackage
import Trees

/// Makes the entries of one directory: links, reflinks, copies, symbolic links and nodes.
final class FileMaker: Sendable {
    private let store: Store
    private let nodes: NodeStore
    private let mode: LinkMode
    private let exactTime: Bool
    private let makesDevices: Bool
    /// Turned off by the first refusal: a file system that cannot share blocks once cannot do it a thousand times either.
    private let canReflink: Atomic<Bool>

    init(_ store: Store, mode: LinkMode, exactTime: Bool, makesDevices: Bool) {
        self.makesDevices = makesDevices && CurrentProcess.canSetOwners
        self.store = store
        nodes = NodeStore(store)
        self.mode = mode
        self.exactTime = exactTime
        canReflink = Atomic(mode == .reflink || mode == .auto)
    }

    func make(
        _ entry: Entry, in directory: borrowing OwnedDescriptor, _ summary: inout MaterializeSummary
    ) throws {
        let name = entry.path.name
        do {
            switch entry.kind {
            case .file(let digest, let size):
                return try makeFile(entry, digest, size, in: directory, &summary)
            case .symlink(let target):
                try directory.makeSymlink(name, target: target)
                summary.symlinks += 1
            case .fifo:
                try directory.makeNode(name, .fifo, mode: 0o600)
            case .characterDevice(let major, let minor):
                guard makesDevices else { return summary.skippedDevices += 1 }
                try directory.makeNode(name, .characterDevice(major: major, minor: minor), mode: 0o600)
            case .blockDevice(let major, let minor):
                guard makesDevices else { return summary.skippedDevices += 1 }
                try directory.makeNode(name, .blockDevice(major: major, minor: minor), mode: 0o600)
            case .directory, .whiteout:
                return
            }
            if CurrentProcess.canSetOwners {
                try directory.setOwner(uid: entry.metadata.uid, gid: entry.metadata.gid, of: name)
            }
            if case .symlink = entry.kind {} else { try directory.setPermissions(entry.metadata.mode, of: name) }
            try directory.setModified(entry.metadata.modified.fileTime, of: name)
        } catch let error as SystemError {
            throw LayerFSError.system(step: "make \(entry.path)", error)
        }
    }

    private func makeFile(
        _ entry: Entry, _ digest: Digest, _ size: UInt64, in directory: borrowing OwnedDescriptor,
        _ summary: inout MaterializeSummary
    ) throws {
        var reason: String?
        guard !store.blobs.isVolatile(digest) else {
            try copy(entry, digest, size, in: directory)
            summary.copied += 1
            summary.copiedBytes += size
            return
        }
        if canReflink.load(ordering: .relaxed), size > 0 {
            if try reflink(entry, digest, in: directory) {
                summary.reflinked += 1
                summary.reflinkedBytes += size
                return
            }
            canReflink.store(false, ordering: .relaxed)
        }
        if mode == .reflink, size > 0 { reason = "the file system cannot share blocks" }
        if mode == .hard || mode == .auto {
            do {
                if let node = try nodes.node(
                    for: digest, size: size, metadata: entry.metadata, exactTime: exactTime)
                {
                    try store.link(node, to: entry.path.name, in: directory)
                    summary.linked += 1
                    summary.linkedBytes += size
                    return
                }
                summary.neverShared += 1
            } catch let error as SystemError where Self.fallback(error) != nil {
                reason = Self.fallback(error)
            } catch LayerStoreError.readOnly {
                reason = "the store is read-only"
            }
        }
        try copy(entry, digest, size, in: directory)
        summary.copied += 1
        summary.copiedBytes += size
        if let reason { summary.fallbacks[reason, default: 0] += 1 }
    }

    /// Why a link that the kernel refuses with `error` is replaced by a copy; nil when something is wrong.
    private static func fallback(_ error: SystemError) -> String? {
        switch error.errno {
        case .tooManyLinks: "the content has all the links it can have (EMLINK)"
        case .improperLink: "the root is on another file system than the store (EXDEV)"
        case .notPermitted: "the kernel forbids linking to it (EPERM)"
        default: nil
        }
    }

    /// A file that shares the blob's blocks; false where the file system cannot.
    private func reflink(
        _ entry: Entry, _ digest: Digest, in directory: borrowing OwnedDescriptor
    ) throws -> Bool {
        let source = try store.openContent(digest)
        let file = try directory.open(entry.path.name, [.readWrite, .create, .exclusive])
        guard try FileCopy.reflink(source, to: file) else {
            try directory.removeFile(entry.path.name)
            return false
        }
        try finish(file, entry.metadata)
        return true
    }

    /// A copy that is checked while it is made.
    private func copy(
        _ entry: Entry, _ digest: Digest, _ size: UInt64, in directory: borrowing OwnedDescriptor
    ) throws {
        let file = try directory.open(entry.path.name, [.writeOnly, .create, .exclusive])
        try store.blobs.readContent(digest, size: size) { piece in try file.writeAll(piece) }
        try finish(file, entry.metadata)
    }

    /// Owner first: changing it clears setuid bits and capabilities.
    private func finish(_ file: borrowing OwnedDescriptor, _ metadata: Metadata) throws {
        if CurrentProcess.canSetOwners { try file.setOwner(uid: metadata.uid, gid: metadata.gid) }
        for attribute in metadata.extendedAttributes
        where CurrentProcess.canSetOwners || attribute.name.hasPrefix("user.") {
            try file.setExtendedAttribute(attribute.name, to: attribute.value)
        }
        try file.setPermissions(metadata.mode)
        try file.setModified(metadata.modified.fileTime)
    }
}
