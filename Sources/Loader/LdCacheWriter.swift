public import Bytes

/// Writes an `/etc/ld.so.cache` in the new layout of glibc's sysdeps/generic/dl-cache.h, as ldconfig(8) does since 2.32.
///
/// The same libraries give the same bytes, in whatever order they are given; only where two are alike but for the path,
/// the first one goes first, and the loader takes it.
public enum LdCacheWriter {
    /// The file's bytes.
    ///
    /// - Throws: ``LdCacheWriterError``.
    public static func bytes(_ libraries: [LdCacheLibrary]) throws(LdCacheWriterError) -> [UInt8] {
        let order = libraries.first?.order ?? .little
        for library in libraries { try check(library, order) }
        let sorted = self.sorted(libraries)
        // Sorted by strcmp(3), as the loader expects.
        let capabilities = Set(sorted.compactMap(\.capability)).sorted()
        let indexes = Dictionary(uniqueKeysWithValues: capabilities.enumerated().map { ($1, UInt64($0)) })

        var strings = StringPool(start: headerSize + sorted.count * entrySize)
        var entries = ByteSink(order: order)
        for library in sorted {
            entries.add(library.flags)
            entries.add(try strings.offset(of: library.name))
            entries.add(try strings.offset(of: library.path))
            entries.add(UInt32(0))
            entries.add(library.capability.flatMap { indexes[$0] }.map { $0 | extensionBit } ?? 0)
        }
        let capabilityOffsets = try capabilities.map { (name) throws(LdCacheWriterError) in
            try strings.offset(of: name)
        }
        strings.align(to: 4)

        var file = ByteSink(order: order)
        file.add(Array("glibc-ld.so.cache1.1".utf8))
        file.add(UInt32(sorted.count))
        file.add(UInt32(strings.bytes.count))
        file.add([order == .little ? 2 : 3, 0, 0, 0])
        file.add(try size(strings.end))
        file.add([UInt8](repeating: 0, count: 12))
        file.add(entries.bytes)
        file.add(strings.bytes)
        addExtensions(&file, capabilityOffsets)
        return file.bytes
    }

    private static let headerSize = 48
    private static let entrySize = 24
    /// DL_CACHE_HWCAP_EXTENSION.
    private static let extensionBit: UInt64 = 1 << 62
    private static let generator = Array("layerfs".utf8)

    /// The two sections: who wrote the file, and the names of the capabilities. Offsets count from the file's start.
    private static func addExtensions(_ file: inout ByteSink, _ capabilities: [UInt32]) {
        let sections = capabilities.isEmpty ? 1 : 2
        let start = UInt32(file.bytes.count + 8 + sections * 16)
        file.add(UInt32(0xeaa4_2174))
        file.add(UInt32(sections))
        for field in [0, 0, start + UInt32(capabilities.count * 4), UInt32(generator.count)] { file.add(field) }
        if !capabilities.isEmpty {
            for field in [1, 0, start, UInt32(capabilities.count * 4)] { file.add(field) }
            for offset in capabilities { file.add(offset) }
        }
        file.add(generator)
    }

    private static func check(_ library: LdCacheLibrary, _ order: ByteOrder) throws(LdCacheWriterError) {
        guard library.order == order else { throw .mixedByteOrders }
        // Whether a byte above 127 sorts before or after letters depends on the machine's C.
        guard !library.name.isEmpty, library.name.bytes.allSatisfy({ $0 != 0 && $0 < 0x80 }) else {
            throw .invalidName(library.name)
        }
        guard library.path.bytes.first == UInt8(ascii: "/"), !library.path.contains(0) else {
            throw .invalidPath(library.path)
        }
        if let capability = library.capability, capability.isEmpty || capability.contains(0) {
            throw .invalidName(capability)
        }
    }

    /// The order of ldconfig (`compare` of elf/cache.c), on which the loader's binary search depends: names from the
    /// greatest to the least, and of one name variants before the plain file.
    private static func sorted(_ libraries: [LdCacheLibrary]) -> [LdCacheLibrary] {
        var seen: Set<LdCacheLibrary> = []
        let once = libraries.filter { seen.insert($0).inserted }
        return once.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            let names = compare(a.name, b.name)
            if names != 0 { return names > 0 }
            // Such as libx7.so and libx07.so, which the loader takes for the same.
            if a.name != b.name { return a.name > b.name }
            if a.flags != b.flags { return a.flags > b.flags }
            if a.capability != b.capability {
                guard let first = a.capability else { return false }
                guard let second = b.capability else { return true }
                return first < second
            }
            return left.offset < right.offset
        }.map(\.element)
    }

    /// `_dl_cache_libcmp` of elf/dl-cache.c: runs of digits count as numbers, and a digit is greater than anything else.
    static func compare(_ left: ByteString, _ right: ByteString) -> Int32 {
        var (a, b) = (left.bytes[...], right.bytes[...])
        while let first = a.first {
            let second = b.first ?? 0
            switch (isDigit(first), isDigit(second)) {
            case (true, true):
                let (x, y) = (number(&a), number(&b))
                if x != y { return x &- y }
            case (true, false): return 1
            case (false, true): return -1
            case (false, false):
                if first != second { return Int32(first) - Int32(second) }
                a.removeFirst()
                b.removeFirst()
            }
        }
        return b.isEmpty ? 0 : -1
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// The number at the start of `text`, which is passed; too large a one wraps, as in C on all machines of Linux.
    private static func number(_ text: inout ArraySlice<UInt8>) -> Int32 {
        var value: Int32 = 0
        while let digit = text.first, isDigit(digit) {
            value = value &* 10 &+ Int32(digit - 0x30)
            text.removeFirst()
        }
        return value
    }

    fileprivate static func size(_ value: Int) throws(LdCacheWriterError) -> UInt32 {
        guard let size = UInt32(exactly: value) else { throw .tooLarge }
        return size
    }
}

/// Why libraries cannot be listed in a cache.
public enum LdCacheWriterError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The libraries are for machines of both byte orders; a cache is for one.
    case mixedByteOrders
    /// Empty, or with NUL or a byte that is not ASCII.
    case invalidName(ByteString)
    /// Not absolute, or with NUL.
    case invalidPath(ByteString)
    /// The file would have 4 GiB or more.
    case tooLarge

    public var description: String {
        switch self {
        case .mixedByteOrders: "ld.so.cache: libraries of both byte orders cannot be in one cache"
        case .invalidName(let name): "ld.so.cache: '\(name)' cannot be the name of a library in a cache"
        case .invalidPath(let path): "ld.so.cache: '\(path)' is not an absolute path"
        case .tooLarge: "ld.so.cache: too many libraries for one cache"
        }
    }
}

/// NUL-terminated strings, each once, at offsets from the start of the file.
private struct StringPool {
    private let start: Int
    private(set) var bytes: [UInt8] = []
    private var offsets: [ByteString: UInt32] = [:]

    init(start: Int) { self.start = start }

    var end: Int { start + bytes.count }

    mutating func offset(of text: ByteString) throws(LdCacheWriterError) -> UInt32 {
        if let known = offsets[text] { return known }
        let offset = try LdCacheWriter.size(end)
        offsets[text] = offset
        bytes += text.bytes + [0]
        return offset
    }

    mutating func align(to unit: Int) {
        bytes += [UInt8](repeating: 0, count: (unit - end % unit) % unit)
    }
}

/// Bytes of a file with numbers of one byte order.
private struct ByteSink {
    let order: ByteOrder
    private(set) var bytes: [UInt8] = []

    init(order: ByteOrder) { self.order = order }

    mutating func add(_ more: [UInt8]) { bytes += more }

    mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: order == .little ? number.littleEndian : number.bigEndian) { bytes += $0 }
    }
}
