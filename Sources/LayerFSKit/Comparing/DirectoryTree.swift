import Bytes
import Digests
import Posix
import SystemPackage
import Trees

/// A directory of this machine as a tree, all contents hashed. Links are not followed; sockets, which no image can have, are
/// left out.
struct DirectoryTree {
    private let base: SharedDescriptor
    private let pool: WorkerPool

    /// Attributes that a machine's security modules set on their own, whatever the files are.
    private static let foreignAttributes: Set<ByteString> = [
        "security.selinux", "security.ima", "security.evm", "security.SMACK64", "security.apparmor",
    ]

    init(_ path: ByteString, pool: WorkerPool = WorkerPool()) throws(SystemError) {
        base = SharedDescriptor(try Files.open(path, [.readOnly, .directory]))
        self.pool = pool
    }

    /// - Throws: `SystemError` for what cannot be read, ``Interruption``.
    func read(_ progress: ProgressMeter) throws -> Tree {
        var entries: [Entry] = []
        var pending: [TreePath] = [.root]
        // By levels: the directories of one are read at the same time.
        while !pending.isEmpty {
            let level = pending
            let parts = try pool.map(level.count) { index in try list(level[index], progress) }
            pending = []
            for part in parts {
                entries += part
                pending += part.filter { $0.isDirectory && !$0.path.isRoot }.map(\.path)
            }
        }
        return try Tree(entries)
    }

    /// What lies in `directory`; for the root the root itself, too.
    private func list(_ directory: TreePath, _ progress: ProgressMeter) throws -> [Entry] {
        let relative: ByteString = directory.isRoot ? "." : directory.relative
        let opened = try base.descriptor.openContained(relative, [.readOnly, .directory])
        var entries: [Entry] = []
        if directory.isRoot {
            entries.append(Entry(path: .root, metadata: Metadata(try opened.status()), kind: .directory))
        }
        for name in try opened.names().map(\.name) {
            if let entry = try entry(name, in: opened, at: directory.appending(name), progress) {
                entries.append(entry)
            }
        }
        return entries
    }

    private func entry(
        _ name: ByteString, in directory: borrowing OwnedDescriptor, at path: TreePath, _ progress: ProgressMeter
    ) throws -> Entry? {
        try progress.advance(by: 0)
        let status = try directory.status(of: name)
        var metadata = Metadata(status)
        switch status.kind {
        case .regular:
            let file = try directory.open(name, [.readOnly, .noFollow, .nonBlocking])
            let (digest, size) = try hash(file, progress)
            metadata = Metadata(try file.status(), attributes(try file.extendedAttributes()))
            return Entry(path: path, metadata: metadata, kind: .file(digest: digest, size: size))
        case .directory:
            let opened = try directory.open(name, [.readOnly, .directory, .noFollow])
            metadata = Metadata(status, attributes(try opened.extendedAttributes()))
            return Entry(path: path, metadata: metadata, kind: .directory)
        case .symlink:
            return Entry(path: path, metadata: metadata, kind: .symlink(target: try directory.linkTarget(of: name)))
        case .characterDevice:
            let kind = Entry.Kind.characterDevice(major: status.deviceMajor, minor: status.deviceMinor)
            return Entry(path: path, metadata: metadata, kind: kind)
        case .blockDevice:
            let kind = Entry.Kind.blockDevice(major: status.deviceMajor, minor: status.deviceMinor)
            return Entry(path: path, metadata: metadata, kind: kind)
        case .fifo: return Entry(path: path, metadata: metadata, kind: .fifo)
        case .socket, .unknown: return nil
        }
    }

    private func hash(
        _ file: borrowing OwnedDescriptor, _ progress: ProgressMeter
    ) throws -> (digest: Digest, size: UInt64) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        var hasher = DigestHasher()
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { break }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            try progress.advance(by: UInt64(count))
        }
        let size = hasher.count
        return (hasher.finalize(), size)
    }

    private func attributes(_ all: [(name: ByteString, value: ByteString)]) -> [ExtendedAttribute] {
        all.filter { !Self.foreignAttributes.contains($0.name) }
            .map { ExtendedAttribute(name: $0.name, value: $0.value) }
    }
}

extension Metadata {
    fileprivate init(_ status: FileStatus, _ attributes: [ExtendedAttribute] = []) {
        self.init(
            mode: status.permissions, uid: status.uid, gid: status.gid,
            modified: Timestamp(seconds: status.modified.seconds, nanoseconds: status.modified.nanoseconds),
            extendedAttributes: attributes)
    }
}
