import Bytes

/// What extended headers say about the members that follow them: PAX records, global and of one member, and the long
/// names of GNU tar.
struct MemberExtensions: Sendable {
    private var global: [ByteString: ByteString] = [:]
    private var globalSize = 0
    private var records: [ByteString: ByteString] = [:]
    private var sparse = SparseRecords()
    private var longName: ByteString?
    private var longLink: ByteString?
    private var reserved = 0
    private var pending = false

    /// Whether nothing waits for its member. Global headers wait for none.
    var isEmpty: Bool { !pending }

    /// Counts `size` bytes of extended header; false when that is too much for one member.
    mutating func reserve(_ size: Int) -> Bool {
        reserved += size
        return reserved <= TarDecoder.extensionLimit
    }

    mutating func add(_ payload: [UInt8], typeflag: UInt8, offset: UInt64) throws(TarError) {
        switch typeflag {
        case UInt8(ascii: "L"), UInt8(ascii: "K"):
            let name = ByteString(payload.prefix { $0 != 0 })
            if typeflag == UInt8(ascii: "L") { longName = name } else { longLink = name }
            pending = true
        case UInt8(ascii: "g"):
            globalSize += payload.count
            guard globalSize <= TarDecoder.extensionLimit else { throw .extensionTooLarge(offset: offset) }
            // A map of one file makes no sense for all.
            var ignored = SparseRecords()
            try Self.read(payload, into: &global, &ignored, offset: offset)
            guard !ignored.isPresent else { throw .badRecord(reason: "a sparse map for all members", offset: offset) }
            reserved = 0
        default:
            // Only the last of several counts, as in Go and GNU tar.
            records.removeAll()
            sparse = SparseRecords()
            try Self.read(payload, into: &records, &sparse, offset: offset)
            pending = true
        }
    }

    mutating func endMember() {
        records.removeAll()
        sparse = SparseRecords()
        longName = nil
        longLink = nil
        reserved = 0
        pending = false
    }

    private static func read(
        _ payload: [UInt8], into records: inout [ByteString: ByteString], _ sparse: inout SparseRecords, offset: UInt64
    ) throws(TarError) {
        try PAXRecords.forEach(in: payload, offset: offset) { (key, value) throws(TarError) in
            if key.hasPrefix(SparseRecords.prefix) { sparse.add(key, value) } else { records[key] = value }
        }
    }

    /// How the content of a member is archived.
    enum Layout: Sendable {
        case plain
        /// A sparse file whose map is known.
        case sparse(SparseMap)
        /// A sparse file whose map, begun in the header, goes on in the blocks behind it.
        case sparseBlocks(SparseMap)
        /// A sparse file whose map is in front of its content.
        case sparsePrefix
    }

    /// What a header block and its extensions say together.
    struct Member: Sendable {
        var header: TarHeader
        /// How many bytes of the archive belong to its content, without the blocks of old GNU maps.
        var stored: UInt64
        var layout: Layout
    }

    /// The member that `block` and the extensions make.
    func member(_ block: [UInt8], offset: UInt64) throws(TarError) -> Member {
        let record = records.isEmpty ? global : global.merging(records) { $1 }
        // An empty value takes a record back (pax(1p)).
        func value(_ key: ByteString) -> ByteString? { record[key].flatMap { $0.isEmpty ? nil : $0 } }
        func number(_ field: Range<Int>, _ name: String) throws(TarError) -> Int64 {
            guard let number = TarBlock.number(block, field) else { throw .badNumber(field: name, offset: offset) }
            return number
        }
        func natural(_ key: ByteString, _ field: Range<Int>) throws(TarError) -> UInt64 {
            let number: UInt64? =
                if let text = value(key) { PAXRecords.natural(text) } else {
                    UInt64(exactly: try number(field, "\(key)"))
                }
            guard let number, number <= UInt64(Int64.max) else { throw .badNumber(field: "\(key)", offset: offset) }
            return number
        }
        func owner(_ key: ByteString, _ field: Range<Int>) throws(TarError) -> UInt32 {
            guard let number = UInt32(exactly: try natural(key, field)) else {
                throw .badNumber(field: "\(key)", offset: offset)
            }
            return number
        }

        var name = sparse.name ?? value("path") ?? longName ?? Self.name(of: block)
        let hadSlash = name.hasSuffix("/")
        while name.count > 1, name.hasSuffix("/") { name.bytes.removeLast() }
        let target = value("linkpath") ?? longLink ?? TarBlock.text(block, TarBlock.linkName)
        guard !name.contains(0), !target.contains(0) else { throw .badName(name, offset: offset) }

        let declared = try natural("size", TarBlock.length)
        func device() throws(TarError) -> (UInt32, UInt32) {
            guard let major = UInt32(exactly: try number(TarBlock.deviceMajor, "device number")),
                let minor = UInt32(exactly: try number(TarBlock.deviceMinor, "device number"))
            else { throw .badNumber(field: "device number", offset: offset) }
            return (major, minor)
        }
        // Links, directories, devices and fifos have no content, whatever size they declare (as Go and Python).
        var size: UInt64 = 0
        var layout = Layout.plain
        let kind: TarHeader.Kind
        switch block[TarBlock.typeflag] {
        case UInt8(ascii: "S"):
            size = declared
            let (real, map) = try Self.oldGNUMap(block, offset: offset)
            kind = .file(size: real)
            layout = block[SparseMap.headerIsExtended] != 0 ? .sparseBlocks(map) : .sparse(map)
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
            size = declared
            if sparse.isPresent {
                let (real, map) = try paxMap(offset: offset)
                kind = .file(size: real)
                layout = map.map { .sparse($0) } ?? .sparsePrefix
            } else {
                // Before POSIX a directory was a file whose name ended with a slash.
                kind = hadSlash ? .directory : .file(size: size)
            }
        case UInt8(ascii: "1"): kind = .hardLink(target: target)
        case UInt8(ascii: "2"): kind = .symlink(target: target)
        case UInt8(ascii: "3"):
            let (major, minor) = try device()
            kind = .characterDevice(major: major, minor: minor)
        case UInt8(ascii: "4"):
            let (major, minor) = try device()
            kind = .blockDevice(major: major, minor: minor)
        case UInt8(ascii: "5"): kind = .directory
        case UInt8(ascii: "6"): kind = .fifo
        case UInt8(ascii: "D"):
            // GNU tar's incremental dump: a directory whose content is a list of names.
            size = declared
            kind = .directory
        case let typeflag:
            size = declared
            kind = .other(typeflag: typeflag, size: size)
        }
        if case .hardLink = kind, target.isEmpty { throw .badName(target, offset: offset) }
        if case .symlink = kind, target.isEmpty { throw .badName(target, offset: offset) }

        var modified = try (seconds: number(TarBlock.modified, "mtime"), nanoseconds: UInt32(0))
        if let text = value("mtime") {
            guard let time = PAXRecords.time(text) else { throw .badNumber(field: "mtime", offset: offset) }
            modified = time
        }
        let header = TarHeader(
            name: name, kind: kind,
            // Some writers put the type of the file into the mode as well.
            mode: UInt16(truncatingIfNeeded: try number(TarBlock.mode, "mode")),
            uid: try owner("uid", TarBlock.uid), gid: try owner("gid", TarBlock.gid),
            modified: modified.seconds, nanoseconds: modified.nanoseconds,
            extendedAttributes: try AttributeRecords.attributes(record.filter { !$1.isEmpty }, offset: offset))
        if case .sparse(let map) = layout, case .file(let real) = kind, !map.fits(size: real, stored: size) {
            throw .badNumber(field: "map of a sparse file", offset: offset)
        }
        return Member(header: header, stored: size, layout: layout)
    }

    private static func oldGNUMap(_ block: [UInt8], offset: UInt64) throws(TarError) -> (UInt64, SparseMap) {
        var map = SparseMap()
        guard let real = TarBlock.number(block, SparseMap.realSize).flatMap({ UInt64(exactly: $0) }),
            map.add(block, SparseMap.headerParts)
        else { throw .badNumber(field: "map of a sparse file", offset: offset) }
        return (real, map)
    }

    /// The size of the file, and the map unless it is in front of the content.
    private func paxMap(offset: UInt64) throws(TarError) -> (UInt64, SparseMap?) {
        if sparse.isUnknown { throw .unsupported(feature: "a sparse file of a form that is not known", offset: offset) }
        guard let real = sparse.realSize, real <= UInt64(Int64.max) else {
            throw .badNumber(field: "size of a sparse file", offset: offset)
        }
        if sparse.isPrefixed { return (real, nil) }
        guard let map = sparse.map() else { throw .badNumber(field: "map of a sparse file", offset: offset) }
        return (real, map)
    }

    /// The name in the block; the prefix counts only with the magic of POSIX, not with GNU's.
    private static func name(of block: [UInt8]) -> ByteString {
        let name = TarBlock.text(block, TarBlock.name)
        guard block[TarBlock.magic].elementsEqual("ustar\0".utf8) else { return name }
        let prefix = TarBlock.text(block, TarBlock.prefix)
        return prefix.isEmpty ? name : prefix + "/" + name
    }
}
