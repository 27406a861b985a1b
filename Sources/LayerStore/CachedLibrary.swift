public import Bytes

/// A library that the loader finds only with an `/etc/ld.so.cache` that lists it: one line of such a cache (glibc,
/// sysdeps/generic/dl-cache.h).
public struct CachedLibrary: Hashable, Sendable, Codable {
    /// What objects ask for.
    public var name: ByteString
    /// The absolute path in the root.
    public var path: ByteString
    /// Kind of library and machine.
    public var flags: Int32
    /// The `glibc-hwcaps` subdirectory that it is of; nil for a plain file.
    public var capability: ByteString?
    /// True for a big-endian machine; else absent.
    public var isBigEndian: Bool?

    public init(name: ByteString, path: ByteString, flags: Int32, capability: ByteString?, isBigEndian: Bool?) {
        (self.name, self.path, self.flags) = (name, path, flags)
        (self.capability, self.isBigEndian) = (capability, isBigEndian)
    }
}
