import Bytes

/// Writes tar headers in one canonical form, so that equal members give equal bytes on every machine.
///
/// ustar, with a PAX extended header only for what ustar cannot hold; owners as numbers only; whole seconds; nothing
/// that depends on the machine, the process or the time of writing (pax(1p); image-spec, layer.md).
public enum TarEncoder {
    /// The two blocks of zeros that end an archive.
    public static let endOfArchive = [UInt8](repeating: 0, count: 2 * TarBlock.size)

    /// How many bytes of zeros follow a content of `size` bytes, up to the next multiple of 512.
    public static func padding(after size: UInt64) -> Int { TarBlock.padding(after: size) }

    /// The blocks of `header`: one, or with its PAX extended header three and more. The content of a file, and its
    /// ``padding(after:)``, are to follow.
    ///
    /// - Throws: ``TarError/unwritable(name:reason:)``.
    public static func encode(_ header: TarHeader) throws(TarError) -> [UInt8] {
        let member = try Member(header)
        var bytes: [UInt8] = []
        if !member.records.isEmpty {
            let payload = member.records.sorted { $0.key < $1.key }.flatMap { PAXRecords.encode($0.key, $0.value) }
            guard payload.count <= TarDecoder.extensionLimit else {
                throw .unwritable(name: header.name, reason: "its names and attributes exceed 1 MiB")
            }
            bytes = extensionBlock(for: header.name, size: payload.count) + payload
            bytes.append(contentsOf: repeatElement(0, count: padding(after: UInt64(payload.count))))
        }
        return bytes.isEmpty ? member.block() : bytes + member.block()
    }

    /// The header of the extended header. Its name is seen only by readers older than PAX (2001); it is made from
    /// the member's own name and nothing else.
    private static func extensionBlock(for name: ByteString, size: Int) -> [UInt8] {
        let base = name.split(on: UInt8(ascii: "/")).last { !$0.isEmpty } ?? "."
        return BlockWriter.block(typeflag: UInt8(ascii: "x")) { block in
            block.put("PaxHeaders.0/" + ByteString(base.bytes.prefix(87)), TarBlock.name)
            block.put(octal: 0o644, TarBlock.mode)
            block.put(octal: 0, TarBlock.uid)
            block.put(octal: 0, TarBlock.gid)
            block.put(octal: UInt64(size), TarBlock.length)
            block.put(octal: 0, TarBlock.modified)
            block.put(octal: 0, TarBlock.deviceMajor)
            block.put(octal: 0, TarBlock.deviceMinor)
        }
    }
}

/// A header taken apart into what ustar holds and what needs a record.
private struct Member {
    var records: [(key: ByteString, value: ByteString)] = []
    private let name: ByteString
    private var prefix = ByteString([UInt8]())
    private var linkName = ByteString([UInt8]())
    private let typeflag: UInt8
    private let mode: UInt16
    private var uid: UInt64 = 0
    private var gid: UInt64 = 0
    private var size: UInt64 = 0
    private var modified: UInt64 = 0
    private var device: (major: UInt64, minor: UInt64) = (0, 0)

    init(_ header: TarHeader) throws(TarError) {
        func unwritable(_ reason: String) -> TarError { .unwritable(name: header.name, reason: reason) }
        let slash = UInt8(ascii: "/")
        guard !header.name.isEmpty, !header.name.contains(0), header.name.bytes.first != slash,
            header.name.bytes.last != slash
        else { throw unwritable("its name is empty, begins or ends with a slash, or holds a NUL") }

        var fullName = header.name
        var target: ByteString?
        switch header.kind {
        case .file(let size):
            typeflag = UInt8(ascii: "0")
            self.size = size
        case .hardLink(let link):
            typeflag = UInt8(ascii: "1")
            target = link
        case .symlink(let link):
            typeflag = UInt8(ascii: "2")
            target = link
        case .characterDevice(let major, let minor):
            typeflag = UInt8(ascii: "3")
            device = (UInt64(major), UInt64(minor))
        case .blockDevice(let major, let minor):
            typeflag = UInt8(ascii: "4")
            device = (UInt64(major), UInt64(minor))
        case .directory:
            typeflag = UInt8(ascii: "5")
            fullName.bytes.append(UInt8(ascii: "/"))
        case .fifo:
            typeflag = UInt8(ascii: "6")
        case .other(let typeflag, _):
            throw unwritable("its type \(typeflag) is none of POSIX")
        }
        mode = header.mode

        if let (prefix, name) = Self.split(fullName) {
            self.prefix = prefix
            self.name = name
        } else {
            // A reader without PAX gets the beginning of the name, and no directory by a slash at the cut.
            let cut = fullName.bytes.prefix(TarBlock.name.count)
            name = ByteString(header.kind == .directory ? cut : cut[..<(cut.lastIndex { $0 != 0x2f }! + 1)])
            records.append(("path", fullName))
        }
        if let target {
            guard !target.isEmpty, !target.contains(0) else { throw unwritable("its target is empty or holds a NUL") }
            linkName = ByteString(target.bytes.prefix(TarBlock.linkName.count))
            if target.count > TarBlock.linkName.count { records.append(("linkpath", target)) }
        }
        if records.contains(where: { $0.value.utf8Text == nil }) {
            // POSIX wants UTF-8 in records unless this one says otherwise.
            records.append(("hdrcharset", "BINARY"))
        }
        uid = record(UInt64(header.uid), limit: Self.octal7, "uid")
        gid = record(UInt64(header.gid), limit: Self.octal7, "gid")
        size = record(size, limit: Self.octal11, "size")
        if let seconds = UInt64(exactly: header.modified), seconds <= Self.octal11 {
            modified = seconds
        } else {
            records.append(("mtime", ByteString(String(header.modified))))
        }
        guard device.major <= Self.octal7, device.minor <= Self.octal7 else {
            throw unwritable("its device numbers exceed 2097151")
        }
        for (index, attribute) in header.extendedAttributes.enumerated() {
            guard !attribute.name.isEmpty, !attribute.name.contains(0), !attribute.name.contains(UInt8(ascii: "="))
            else { throw unwritable("the name of its extended attribute '\(attribute.name)' is not usable in PAX") }
            if index > 0, header.extendedAttributes[index - 1].name == attribute.name {
                throw unwritable("its extended attribute '\(attribute.name)' occurs twice")
            }
            records.append((PAXRecords.attributePrefix + attribute.name, attribute.value))
        }
    }

    /// The largest numbers of 7 and 11 octal digits: one byte of each field is its NUL.
    private static let octal7: UInt64 = 0o7777777
    private static let octal11: UInt64 = 0o77777777777

    /// What goes to the ustar field: `value`, or 0 when a record has to hold it.
    private mutating func record(_ value: UInt64, limit: UInt64, _ key: ByteString) -> UInt64 {
        if value <= limit { return value }
        records.append((key, ByteString(String(value))))
        return 0
    }

    /// `name` as prefix and name of ustar, which a slash joins; the longest prefix that fits. Nil when there is none.
    private static func split(_ name: ByteString) -> (prefix: ByteString, name: ByteString)? {
        if name.count <= TarBlock.name.count { return (ByteString([UInt8]()), name) }
        // The slash itself is not stored; a slash at the very end does not separate anything.
        let candidates = name.bytes.prefix(min(TarBlock.prefix.count + 1, name.count - 1))
        guard let slash = candidates.lastIndex(of: UInt8(ascii: "/")), slash > 0,
            name.count - slash - 1 <= TarBlock.name.count
        else { return nil }
        return (ByteString(name.bytes[..<slash]), ByteString(name.bytes[(slash + 1)...]))
    }

    func block() -> [UInt8] {
        BlockWriter.block(typeflag: typeflag) { block in
            block.put(name, TarBlock.name)
            block.put(octal: UInt64(mode), TarBlock.mode)
            block.put(octal: uid, TarBlock.uid)
            block.put(octal: gid, TarBlock.gid)
            block.put(octal: size, TarBlock.length)
            block.put(octal: modified, TarBlock.modified)
            block.put(linkName, TarBlock.linkName)
            block.put(octal: device.major, TarBlock.deviceMajor)
            block.put(octal: device.minor, TarBlock.deviceMinor)
            block.put(prefix, TarBlock.prefix)
        }
    }
}

/// Fills the fields of one header block.
private struct BlockWriter {
    private static let magic: ByteString = "ustar"
    private static let version: ByteString = "00"

    /// All of the block.
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// A block of zeros but for what `fill` puts, its type and its checksum.
    static func block(typeflag: UInt8, _ fill: (borrowing BlockWriter) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: TarBlock.size) { buffer, count in
            // There may be room for more than was asked for.
            let bytes = UnsafeMutableBufferPointer(rebasing: buffer[..<TarBlock.size])
            bytes.initialize(repeating: 0)
            count = TarBlock.size
            let writer = BlockWriter(bytes: bytes)
            fill(writer)
            writer.finish(typeflag: typeflag)
        }
    }

    /// - Precondition: `text` fits into the field.
    func put(_ text: ByteString, _ field: Range<Int>) {
        precondition(text.count <= field.count)
        text.bytes.withUnsafeBytes { text in
            UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: bytes[field])).copyMemory(from: text)
        }
    }

    /// Octal digits over the whole field but its last byte, which stays NUL.
    func put(octal value: UInt64, _ field: Range<Int>) {
        var rest = value
        for index in field.dropLast().reversed() {
            bytes[index] = UInt8(ascii: "0") + UInt8(rest & 7)
            rest >>= 3
        }
    }

    private func finish(typeflag: UInt8) {
        put(Self.magic, TarBlock.magic)
        put(Self.version, TarBlock.version)
        bytes[TarBlock.typeflag] = typeflag
        // Six digits, NUL, space: the traditional form of the one field that differs.
        put(
            octal: UInt64(TarBlock.checksums(of: UnsafeBufferPointer(bytes)).unsigned),
            TarBlock.checksum.lowerBound..<(TarBlock.checksum.lowerBound + 7))
        bytes[TarBlock.checksum.upperBound - 1] = UInt8(ascii: " ")
    }
}
