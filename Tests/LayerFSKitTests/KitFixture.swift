import Bytes
import Digests
import Foundation
import ImageTransport
import LayerStore
import TestSupport
import Trees

@testable import LayerFSKit

/// A workspace in a temporary directory that goes away with it.
final class KitFixture {
    let directory: TemporaryDirectory
    let workspace: Workspace

    init(sourceDateEpoch: Timestamp? = nil) throws {
        directory = try TemporaryDirectory()
        workspace = try Workspace(
            store: ByteString(directory.path + "/store"), .adding, sourceDateEpoch: sourceDateEpoch)
    }

    func path(_ name: String) -> ByteString { ByteString(directory.path + "/" + name) }

    /// An entry of a layer.
    enum Item {
        case directory(mode: UInt16 = 0o755)
        case file(String, mode: UInt16 = 0o644, time: Int64 = 1_000)
        case link(String)
        case fifo
        case whiteout
        /// A directory with an extended attribute.
        case attributed(ExtendedAttribute)
    }

    /// Stores a layer of `items`, with their parents, and gives its tree.
    @discardableResult
    func add(_ name: String, _ items: [String: Item], platform: String? = nil) throws -> Tree {
        let session = try workspace.store.beginAdding()
        var entries: [TreePath: Entry] = [.root: Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)]
        for (name, item) in items.sorted(by: { $0.key < $1.key }) {
            let path = try TreePath(ByteString(name))
            entries[path] = try entry(path, item, session)
            var parent = path.parent
            while entries[parent] == nil {
                entries[parent] = Entry(path: parent, metadata: Metadata(mode: 0o755), kind: .directory)
                parent = parent.parent
            }
        }
        let tree = try Tree(entries.values)
        var contents = MemoryContents()
        for case .file(let text, _, _) in items.values { _ = contents.insert(Array(text.utf8)) }
        let diffID = try LayerPacking().measure(tree.entries.dropFirst(), from: contents).diffID
        _ = try session.commit(
            layer: Name(name), tree: tree, provenance: nil, source: "layerfs add \(name)", created: workspace.now,
            platform: platform, diffID: diffID, replacing: false)
        return tree
    }

    private func entry(_ path: TreePath, _ item: Item, _ session: StoreSession) throws -> Entry {
        switch item {
        case .directory(let mode): Entry(path: path, metadata: Metadata(mode: mode), kind: .directory)
        case .file(let text, let mode, let time):
            Entry(
                path: path, metadata: Metadata(mode: mode, modified: Timestamp(seconds: time)),
                kind: .file(digest: try session.stage(bytes: Array(text.utf8)), size: UInt64(text.utf8.count)))
        case .link(let target):
            Entry(path: path, metadata: Metadata(mode: 0o777), kind: .symlink(target: ByteString(target)))
        case .fifo: Entry(path: path, metadata: Metadata(mode: 0o600), kind: .fifo)
        case .whiteout: Entry(path: path, metadata: Metadata(mode: 0), kind: .whiteout)
        case .attributed(let attribute):
            Entry(path: path, metadata: Metadata(mode: 0o755, extendedAttributes: [attribute]), kind: .directory)
        }
    }
}
