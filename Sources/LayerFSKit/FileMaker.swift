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

    /// Makes the files of one directory.
    struct Maker {
        let files: FileMaker
        let entries: Tree.Entries
        let links: ContentLinks
        /// Whose everything is that is made in the directory; nil where that is not known.
        let owner: (uid: UInt32, gid: UInt32)?

        /// Makes the entry at `position`, which is no directory.
        ///
        /// - Returns: how far that brings the work.
        func make(
            _ position: Int, in directory: borrowing OwnedDescriptor, _ summary: inout MaterializeSummary
        ) throws -> UInt64 {
            if let (digest, size) = entries.content(at: position) {
                if try link(position, digest, size, in: directory) {
                    summary.linked += 1
                    summary.linkedBytes += size
                } else {
                    try files.make(entries[position], in: directory, &summary)
                }
                return max(size, 1)
            }
            if try !makeSymlink(position, in: directory, &summary) {
                try files.make(entries[position], in: directory, &summary)
            }
            return 1
        }

        /// Links to a content that serves as it is; false when another way must be found.
        private func link(
            _ position: Int, _ digest: Digest, _ size: UInt64, in directory: borrowing OwnedDescriptor
        ) throws -> Bool {
            guard files.linksFirst else { return false }
            let result = entries.withName(at: position) { name -> Result<Bool, SystemError> in
                do throws(SystemError) {
                    return .success(
                        try links.link(
                            digest, size: size, metadata: entries.metadata(at: position), exactTime: files.exactTime,
                            to: name, in: directory))
                } catch {
                    return .failure(error)
                }
            }
            do { return try result.get() } catch { throw stepFailed(position, error) }
        }

        private func makeSymlink(
            _ position: Int, in directory: borrowing OwnedDescriptor, _ summary: inout MaterializeSummary
        ) throws -> Bool {
            let metadata = entries.metadata(at: position)
            let result = entries.withTarget(at: position) { target in
                entries.withName(at: position) { name -> Result<Void, SystemError> in
                    do throws(SystemError) {
                        try directory.makeSymlink(name, target: target)
                        if CurrentProcess.canSetOwners, owner.map({ $0 != (metadata.uid, metadata.gid) }) ?? true {
                            try directory.setOwner(uid: metadata.uid, gid: metadata.gid, of: name)
                        }
                        return .success(try directory.setModified(metadata.modified.fileTime, of: name))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            guard let result else { return false }
            do { try result.get() } catch { throw stepFailed(position, error) }
            summary.symlinks += 1
            return true
        }

        private func stepFailed(_ position: Int, _ error: SystemError) -> LayerFSError {
            .system(step: "make \(entries.path(at: position))", error)
        }
    }

    func making(_ entries: Tree.Entries, _ links: ContentLinks, _ owner: (uid: UInt32, gid: UInt32)?) -> Maker {
        Maker(files: self, entries: entries, links: links, owner: owner)
    }

    /// Whether a file is first of all to be a link.
    private var linksFirst: Bool { mode == .hard || mode == .auto && !canReflink.load(ordering: .relaxed) }

    private func make(
        _ entry: Entry, in directory: borrowing OwnedDescriptor, _ summary: inout MaterializeSummary
    ) throws {
        let name = entry.path.name
        do {
            switch entry.kind {
            case .file(let digest, let size):
                return try makeFile(entry, digest, size, in: directory, &summary)
            case .symlink, .directory, .whiteout:
                // Links are made without an entry.
                return
            case .fifo:
                try directory.makeNode(name, .fifo, mode: 0o600)
            case .characterDevice(let major, let minor):
                guard makesDevices else { return summary.skippedDevices += 1 }
                try directory.makeNode(name, .characterDevice(major: major, minor: minor), mode: 0o600)
            case .blockDevice(let major, let minor):
                guard makesDevices else { return summary.skippedDevices += 1 }
                try directory.makeNode(name, .blockDevice(major: major, minor: minor), mode: 0o600)
            }
            if CurrentProcess.canSetOwners {
                try directory.setOwner(uid: entry.metadata.uid, gid: entry.metadata.gid, of: name)
            }
            try directory.setPermissions(entry.metadata.mode, of: name)
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
