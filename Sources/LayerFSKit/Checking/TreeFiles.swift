import Bytes
import LayerStore
import Loader
import Posix
import SystemPackage
import Trees

/// A tree of the store as a root that the loader's search can look into, before it is on any disk.
final class TreeFiles: RootFiles {
    private let tree: Tree
    private let store: Store
    private let indexes: [TreePath: Int]
    private lazy var children = Dictionary(grouping: tree.entries.dropFirst(), by: \.path.parent)
    /// Why a content could not be read: the loader knows errors of the system only.
    private(set) var failure: LayerStoreError?

    init(_ tree: Tree, _ store: Store) {
        self.tree = tree
        self.store = store
        indexes = Dictionary(uniqueKeysWithValues: tree.entries.enumerated().map { ($1.path, $0) })
        store.prepare(tree.entries.contents.lazy.map(\.digest))
    }

    func node(at path: TreePath) throws(SystemError) -> RootNode {
        guard let index = indexes[path] else { throw SystemError("find", path.bytes, .noSuchFileOrDirectory) }
        let entry = tree.entries[index]
        var target: ByteString?
        if case .symlink(let text) = entry.kind { target = text }
        return RootNode(
            status: FileStatus(
                kind: entry.fileKind, permissions: entry.metadata.mode, size: entry.size,
                identity: FileIdentity(device: 0, inode: UInt64(index))),
            target: target)
    }

    func names(in path: TreePath, _ identity: FileIdentity) -> [ByteString] {
        children[path, default: []].map(\.path.name)
    }

    func open(_ path: TreePath, _ identity: FileIdentity, _ flags: OpenFlags) throws(SystemError) -> OwnedDescriptor {
        guard let index = indexes[path], case .file(let digest, let size) = tree.entries[index].kind else {
            throw SystemError("open", path.bytes, .noSuchFileOrDirectory)
        }
        // The store keeps no empty content.
        if size == 0 { return try Files.open("/dev/null", .readOnly) }
        do {
            return try store.openContent(digest)
        } catch {
            failure = failure ?? error
            throw SystemError("open", path.bytes, .ioError)
        }
    }

    func hasCapabilities(_ path: TreePath, _ file: borrowing OwnedDescriptor) -> Bool {
        indexes[path].map { tree.entries[$0].metadata.extendedAttributes.contains { $0.name == "security.capability" } }
            ?? false
    }
}

extension Entry {
    fileprivate var fileKind: FileKind {
        switch kind {
        case .file: .regular
        case .directory: .directory
        case .symlink: .symlink
        case .fifo: .fifo
        case .characterDevice: .characterDevice
        case .blockDevice: .blockDevice
        case .whiteout: .unknown
        }
    }
}
