public import Bytes

/// Why a file is not a cache that ld.so would use; it then searches without one.
public enum LoaderCacheError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownFormat
    case truncated
    /// Written for a machine of the other byte order.
    case otherByteOrder
    /// The header says that ldconfig did not finish (flags value 1).
    case markedInvalid
    case stringOutOfBounds(entry: Int)

    public var description: String {
        switch self {
        case .unknownFormat: "ld.so.cache is in no known format"
        case .truncated: "ld.so.cache is shorter than its header says"
        case .otherByteOrder: "ld.so.cache was written for a machine of the other byte order"
        case .markedInvalid: "ld.so.cache is marked as invalid by ldconfig"
        case .stringOutOfBounds(let entry): "ld.so.cache: a name of entry \(entry) lies outside the file"
        }
    }
}

extension LoaderCache {
    private static let oldMagic = Array("ld.so-1.7.0".utf8)
    private static let newMagic = Array("glibc-ld.so.cache1.1".utf8)
    private static let oldHeader = 16
    private static let newHeader = 48

    /// Parses the cache of a machine with the byte order `order`.
    public init(_ bytes: [UInt8], order: ByteOrder) throws(LoaderCacheError) {
        let file = ByteReader(bytes, order: order)
        if file.slice(at: 0, count: Self.newMagic.count)?.elementsEqual(Self.newMagic) == true {
            try self.init(new: file, at: 0, layout: .new)
            return
        }
        guard file.slice(at: 0, count: Self.oldMagic.count)?.elementsEqual(Self.oldMagic) == true else {
            throw .unknownFormat
        }
        guard let count: UInt32 = file.integer(at: 12) else { throw .truncated }
        let end = Self.oldHeader + Int(count) * 12
        guard end <= file.count else { throw .truncated }
        // The new header is aligned as its widest member: to 8 bytes, 4 on i386.
        for start in Set([(end + 7) & ~7, (end + 3) & ~3]).sorted()
        where file.slice(at: start, count: Self.newMagic.count)?.elementsEqual(Self.newMagic) == true {
            try self.init(new: file, at: start, layout: .compatible)
            return
        }
        var entries: [Entry] = []
        for index in 0..<Int(count) {
            let start = Self.oldHeader + index * 12
            guard let flags: Int32 = file.integer(at: start), let name: UInt32 = file.integer(at: start + 4),
                let path: UInt32 = file.integer(at: start + 8)
            else { throw .truncated }
            guard let name = file.terminatedString(at: end + Int(name)),
                let path = file.terminatedString(at: end + Int(path))
            else { throw .stringOutOfBounds(entry: index) }
            entries.append(Entry(name: name, path: path, flags: flags, capabilities: 0))
        }
        self.init(entries: entries, hardwareCapabilities: [], layout: .old)
    }

    /// The new layout with its header at `start`, from which its offsets count.
    private init(new file: ByteReader, at start: Int, layout: Layout) throws(LoaderCacheError) {
        guard let body = file.slice(at: start, count: file.count - start) else { throw .truncated }
        let cache = ByteReader(body, order: file.order)
        guard cache.count >= Self.newHeader, let order: UInt8 = cache.integer(at: 28) else { throw .truncated }
        switch order & 3 {
        case 0: break  // written before glibc 2.33: not said
        case 1: throw .markedInvalid
        default: if (order & 3 == 2) != (file.order == .little) { throw .otherByteOrder }
        }
        guard let count: UInt32 = cache.integer(at: 20), Int(count) <= (cache.count - Self.newHeader) / 24 else {
            throw .truncated
        }
        var entries: [Entry] = []
        entries.reserveCapacity(Int(count))
        for index in 0..<Int(count) {
            let place = Self.newHeader + index * 24
            guard let flags: Int32 = cache.integer(at: place), let name: UInt32 = cache.integer(at: place + 4),
                let path: UInt32 = cache.integer(at: place + 8),
                let capabilities: UInt64 = cache.integer(at: place + 16)
            else { throw .truncated }
            guard let name = cache.terminatedString(at: Int(name)), let path = cache.terminatedString(at: Int(path))
            else { throw .stringOutOfBounds(entry: index) }
            entries.append(Entry(name: name, path: path, flags: flags, capabilities: capabilities))
        }
        self.init(entries: entries, hardwareCapabilities: Self.capabilities(header: cache, file), layout: layout)
    }

    /// The names of the extension section with tag 1 (cache_extension_tag_glibc_hwcaps); empty when there is none or it
    /// is damaged, which ld.so ignores too.
    ///
    /// All offsets of extensions count from the beginning of the file, also where an old header is in front. ldconfig
    /// writes the names' offsets relative to the new header there, so that ld.so does not find them, and nor does this.
    private static func capabilities(header: ByteReader, _ file: ByteReader) -> [ByteString] {
        guard let extensions: UInt32 = header.integer(at: 32), extensions != 0, extensions % 4 == 0,
            let magic: UInt32 = file.integer(at: Int(extensions)), magic == 0xeaa4_2174,
            let count: UInt32 = file.integer(at: Int(extensions) + 4)
        else { return [] }
        for index in 0..<min(Int(count), 64) {
            let section = Int(extensions) + 8 + index * 16
            guard let tag: UInt32 = file.integer(at: section), let offset: UInt32 = file.integer(at: section + 8),
                let size: UInt32 = file.integer(at: section + 12)
            else { return [] }
            guard tag == 1, let names = file.slice(at: Int(offset), count: Int(size)) else { continue }
            let table = ByteReader(names, order: file.order)
            // A table as large as the file would make its names many times as large.
            return stride(from: 0, to: min(table.count, maximumCapabilities * 4) - 3, by: 4).map { place in
                table.integer(at: place, as: UInt32.self).flatMap { file.terminatedString(at: Int($0)) } ?? ""
            }
        }
        return []
    }

    private static let maximumCapabilities = 256
}
