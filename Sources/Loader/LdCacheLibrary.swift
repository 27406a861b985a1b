public import Bytes

/// A library as an `/etc/ld.so.cache` lists it.
public struct LdCacheLibrary: Hashable, Sendable {
    /// What other objects ask for it by: its soname, in directories of variants its file name.
    public let name: ByteString
    /// The absolute path in the root of the cache.
    public let path: ByteString
    /// Kind of library and machine, as ``LoaderCache/Entry/flags``.
    public let flags: Int32
    /// The `glibc-hwcaps` subdirectory that it is of, as `x86-64-v3`; nil for the plain file.
    public let capability: ByteString?
    /// Of the machine, and so of the whole cache.
    public let order: ByteOrder

    public init(name: ByteString, path: ByteString, flags: Int32, capability: ByteString? = nil, order: ByteOrder) {
        self.name = name
        self.path = path
        self.flags = flags
        self.capability = capability
        self.order = order
    }
}

extension Closure {
    /// The libraries that the loader found only through the root's /etc/ld.so.cache, in the order of ``edges``, each
    /// once. A root made of this closure needs a cache that lists them: ``LdCacheWriter``.
    ///
    /// Libraries of system directories are not among them, although a cache usually lists these too.
    public var librariesFoundByCacheOnly: [LdCacheLibrary] {
        var seen: Set<LdCacheLibrary> = []
        return edges.compactMap(\.cacheEntry).filter { seen.insert($0).inserted }
    }
}
