import Bytes
import Digests
import Foundation
import TestSupport
import Trees

@testable import LayerStore

/// A store in a temporary directory that goes away with it.
final class StoreFixture {
    let directory: TemporaryDirectory
    var path: ByteString { ByteString(directory.path + "/store") }

    init() throws { directory = try TemporaryDirectory() }

    func open(_ access: Store.Access = .adding) throws -> Store { try Store(path, access) }

    /// Writes a file beside the store and gives its path.
    func file(_ name: String, _ text: String, mode: UInt16 = 0o644) throws -> ByteString {
        let path = directory.path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: NSNumber(value: mode)], ofItemAtPath: path)
        return ByteString(path)
    }

    /// A tree of files with these contents, which are staged in `session`.
    static func tree(_ files: [String: String], mode: UInt16 = 0o644, in session: StoreSession) throws -> Tree {
        var entries: [TreePath: Entry] = [.root: Entry(path: .root, metadata: Metadata(mode: 0o755), kind: .directory)]
        for (name, text) in files {
            let path = try TreePath(ByteString(name))
            let digest = try session.stage(bytes: Array(text.utf8))
            entries[path] = Entry(
                path: path, metadata: Metadata(mode: mode, modified: Timestamp(seconds: 1_000)),
                kind: .file(digest: digest, size: UInt64(text.utf8.count)))
            var parent = path.parent
            while entries[parent] == nil {
                entries[parent] = Entry(path: parent, metadata: Metadata(mode: 0o755), kind: .directory)
                parent = parent.parent
            }
        }
        return try Tree(entries.values)
    }

    /// Adds a layer of such a tree.
    @discardableResult
    static func add(
        _ name: String, _ files: [String: String], to store: Store, replacing: Bool = false, mode: UInt16 = 0o644
    ) throws -> CommitOutcome {
        let session = try store.beginAdding()
        let tree = try tree(files, mode: mode, in: session)
        return try session.commit(
            layer: Name(name), tree: tree, provenance: nil, source: "test", created: "1970-01-01T00:00:00Z",
            platform: nil, diffID: DiffID(.empty), replacing: replacing)
    }

    /// Every file below the store, with its content's digest; directories and the index left out.
    func snapshot() throws -> [String: Digest] {
        var result: [String: Digest] = [:]
        let root = directory.path + "/store"
        for name in FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? [] {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: root + "/" + name, isDirectory: &isDirectory),
                !isDirectory.boolValue, !name.hasPrefix("index.")
            else { continue }
            result[name] = Digest(hashing: Array(try Data(contentsOf: URL(fileURLWithPath: root + "/" + name))))
        }
        return result
    }
}
