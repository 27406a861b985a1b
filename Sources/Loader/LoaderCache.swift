public import Bytes

/// A parsed `/etc/ld.so.cache`: which file ldconfig(8) found for each library name.
///
/// Knows the three layouts of glibc's sysdeps/generic/dl-cache.h: the old one (`ld.so-1.7.0`), the new one
/// (`glibc-ld.so.cache1.1`), and the old one with the new one behind it, of which the new part counts.
public struct LoaderCache: Hashable, Sendable {
    /// In the file's order, which decides between several entries of one name.
    public let entries: [Entry]
    /// The names of the `glibc-hwcaps` subdirectories that entries refer to by index.
    public let hardwareCapabilities: [ByteString]
    public let layout: Layout

    private let indexesByName: [ByteString: [Int]]

    public enum Layout: Hashable, Sendable { case old, new, compatible }

    /// One library.
    public struct Entry: Hashable, Sendable {
        public let name: ByteString
        /// The library's path inside the root of the cache.
        public let path: ByteString
        /// Kind of library (3: for glibc 2) and machine, as ldconfig.h numbers them.
        public let flags: Int32
        /// The machine's capabilities that the file needs; 0 in the old layout.
        public let capabilities: UInt64

        /// The index into ``LoaderCache/hardwareCapabilities`` of a file from a `glibc-hwcaps` subdirectory.
        ///
        /// Bit 62 marks them; bits 32 to 41 hold an instruction set level beside it (dl_cache_hwcap_extension).
        public var capabilityIndex: Int? {
            (capabilities >> 32) & ~0x3ff == 0x4000_0000 ? Int(truncatingIfNeeded: capabilities & 0xffff_ffff) : nil
        }
    }

    init(entries: [Entry], hardwareCapabilities: [ByteString], layout: Layout) {
        self.entries = entries
        self.hardwareCapabilities = hardwareCapabilities
        self.layout = layout
        var indexes: [ByteString: [Int]] = [:]
        for (index, entry) in entries.enumerated() { indexes[entry.name, default: []].append(index) }
        indexesByName = indexes
    }

    /// The entries of `name`, in order.
    public func entries(named name: ByteString) -> [Entry] {
        indexesByName[name, default: []].map { entries[$0] }
    }

    /// The path that ld.so takes for `name`.
    ///
    /// - Parameters:
    ///   - flags: those of the machine (`_DL_CACHE_DEFAULT_ID`); nil accepts every entry.
    ///   - unspecific: the flags of entries that will do where there is none with `flags` (_dl_cache_check_flags): 1
    ///     for any ELF library, on ARM 3 for one of either float ABI.
    ///   - capabilities: the active `glibc-hwcaps` subdirectories, best first. A file of one of them goes before the
    ///     plain one, wherever they are listed.
    public func path(of name: ByteString, flags: Int32?, unspecific: Int32 = 1, capabilities: [ByteString]) -> Match? {
        var plain: Entry?
        var best: (rank: Int, entry: Entry)?
        for index in indexesByName[name, default: []] {
            let entry = entries[index]
            guard flags == nil || entry.flags == flags || entry.flags == unspecific else { continue }
            if let index = entry.capabilityIndex {
                guard index < hardwareCapabilities.count,
                    let rank = capabilities.firstIndex(of: hardwareCapabilities[index])
                else { continue }
                if rank < best?.rank ?? .max { best = (rank, entry) }
            } else if entry.capabilities == 0, plain == nil || (plain?.flags != flags && entry.flags == flags) {
                plain = entry
            }
        }
        if let best { return Match(path: best.entry.path, capability: capabilities[best.rank]) }
        return plain.map { Match(path: $0.path, capability: nil) }
    }

    /// A path from the cache, and the `glibc-hwcaps` subdirectory that it is of.
    public struct Match: Hashable, Sendable {
        public let path: ByteString
        public let capability: ByteString?

        public init(path: ByteString, capability: ByteString?) {
            self.path = path
            self.capability = capability
        }
    }
}
