import Bytes
import Digests
import LayerStore
import Loader
import Trees

/// The `/etc/ld.so.cache` of a composed root, in a small layer of its own.
///
/// A library that a host's loader found only through the host's cache lies where no loader looks by itself. The root gets
/// a cache that lists these libraries, and nothing else: what system directories hold is found without.
struct LoaderCacheLayer {
    private static let path = TreePath.root.appending("etc").appending("ld.so.cache")
    /// As the loader's reader: caches of machines with very many libraries have some MB.
    private static let maximumSize = 64 << 20

    let name = "ld.so.cache"
    let bytes: [UInt8]
    private let time: Timestamp
    private let parent: Metadata

    /// - Parameters:
    ///   - wanted: what the layers' programs found only by a cache, the lowest layer's first.
    ///   - tree: the layers' union.
    ///   - contents: of the tree's files.
    /// - Throws: ``LayerStoreError`` for a cache in the tree that cannot be read, `LdCacheWriterError`.
    /// - Returns: nil when `tree` needs none, or has a cache that will do.
    init?(_ wanted: [LdCacheLibrary], in tree: Tree, _ contents: BlobStore) throws {
        // What another layer removed or replaced needs no mention.
        let there = wanted.filter { tree.file(at: $0.path) != nil }
        guard let order = there.first?.order else { return nil }
        var listed: [LdCacheLibrary] = []
        if let cache = try Self.cache(of: tree, contents, order) {
            listed = cache.libraries(order).filter { tree.file(at: $0.path) != nil }
        }
        // A name that the root's own cache, or a lower layer, gives a meaning keeps it: their programs count on it.
        var keys = Set(listed.map(Key.init))
        let missing = there.filter { keys.insert(Key($0)).inserted }
        guard !missing.isEmpty else { return nil }
        bytes = try LdCacheWriter.bytes(listed + missing)
        time = Timestamp(seconds: tree.entries.newest?.seconds ?? 0)
        parent =
            tree.place(of: Self.path).flatMap { tree[$0.parent]?.metadata } ?? Metadata(mode: 0o755, modified: time)
    }

    /// The layer, whose one file has the content `digest`.
    func layer(_ digest: Digest) throws(TreeError) -> Composition.Layer {
        Composition.Layer(
            name: name,
            tree: try Tree(
                Tree.empty.entries + [
                    Entry(path: Self.path.parent, metadata: parent, kind: .directory),
                    Entry(
                        path: Self.path, metadata: Metadata(mode: 0o644, modified: time),
                        kind: .file(digest: digest, size: UInt64(bytes.count))),
                ]))
    }

    private struct Key: Hashable {
        let name: ByteString
        let flags: Int32
        let capability: ByteString?

        init(_ library: LdCacheLibrary) {
            (name, flags, capability) = (library.name, library.flags, library.capability)
        }
    }

    /// The cache that `tree` has already; nil when the loader would not use it.
    private static func cache(of tree: Tree, _ contents: BlobStore, _ order: ByteOrder) throws -> LoaderCache? {
        guard let (digest, size) = tree.file(at: path.bytes), size > 0 else { return nil }
        let bytes = try contents.bytes(of: digest, limit: maximumSize, wantedBy: "\(path)")
        return try? LoaderCache(bytes, order: order)
    }
}

extension LoaderCache {
    /// The entries as they are written again; without those that glibc before 2.33 wrote for old processors.
    fileprivate func libraries(_ order: ByteOrder) -> [LdCacheLibrary] {
        entries.compactMap { entry in
            var capability: ByteString?
            if let index = entry.capabilityIndex {
                guard index < hardwareCapabilities.count else { return nil }
                capability = hardwareCapabilities[index]
            } else if entry.capabilities != 0 {
                return nil
            }
            return LdCacheLibrary(
                name: entry.name, path: entry.path, flags: entry.flags, capability: capability, order: order)
        }
    }
}

extension Tree {
    /// The content of the regular file that `path` leads to; nil when there is none.
    func file(at path: ByteString) -> (digest: Digest, size: UInt64)? {
        guard case .file(let digest, let size)? = destination(of: path)?.kind else { return nil }
        return (digest, size)
    }
}
