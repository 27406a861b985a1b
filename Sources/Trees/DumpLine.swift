import Bytes
import Digests

/// One line of a ``TreeDump``.
struct DumpLine {
    var entry: Entry
    var links: Int

    /// - Parameter subdirectories: how many directories lie directly in this one; each `..` is a link to it.
    init(_ entry: Entry, subdirectories: Int) {
        self.entry = entry
        links = entry.isDirectory ? 2 + subdirectories : 1
    }

    func write(to output: inout [UInt8]) {
        let fields = Fields(entry.kind)
        let metadata = entry.metadata
        DumpField.escape(entry.path.bytes, to: &output)
        let space = UInt8(ascii: " ")
        output.append(space)
        DumpNumber.write(fields.size, to: &output)
        output.append(space)
        DumpNumber.write(UInt64(fields.type | UInt32(metadata.mode)), radix: 8, to: &output)
        for number in [UInt64(links), UInt64(metadata.uid), UInt64(metadata.gid), fields.device] {
            output.append(space)
            DumpNumber.write(number, to: &output)
        }
        output.append(space)
        DumpNumber.write(metadata.modified.seconds, to: &output)
        output.append(UInt8(ascii: "."))
        DumpNumber.write(UInt64(metadata.modified.nanoseconds), to: &output)
        output.append(space)
        writePayload(to: &output)
        output.append(contentsOf: " - -".utf8)
        for attribute in metadata.extendedAttributes {
            output.append(UInt8(ascii: " "))
            DumpField.escapeRaw(attribute.name, to: &output)
            output.append(UInt8(ascii: "="))
            DumpField.escapeRaw(attribute.value, to: &output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    private func writePayload(to output: inout [UInt8]) {
        switch entry.kind {
        case .file(let digest, let size) where size > 0: BlobPath.append(digest, to: &output)
        case .symlink(let target): DumpField.escape(target, to: &output)
        default: output.append(UInt8(ascii: "-"))
        }
    }

    /// The entry of `line`, which has no newline, and the number of links where it is one; nil when the line is malformed.
    static func parse(_ line: UnsafeBufferPointer<UInt8>) -> (entry: Entry, links: Int?)? {
        var fields = DumpFields(line)
        guard let pathBytes = fields.next().flatMap(DumpField.unescape), let path = try? TreePath(pathBytes),
            path.bytes.count == pathBytes.count,
            let size = fields.next().flatMap({ DumpNumber.parse($0, as: UInt64.self) }),
            let mode = fields.next().flatMap({ DumpNumber.parse($0, radix: 8, as: UInt32.self) }), mode <= 0o177777,
            let links = fields.next(),
            let uid = fields.next().flatMap({ DumpNumber.parse($0, as: UInt32.self) }),
            let gid = fields.next().flatMap({ DumpNumber.parse($0, as: UInt32.self) }),
            let device = fields.next().flatMap({ DumpNumber.parse($0, as: UInt64.self) }),
            let modified = fields.next().flatMap(timestamp), let payload = fields.next(),
            let kind = kind(size: size, type: mode & 0o170000, device: device, payload),
            // CONTENT and DIGEST are compared when the whole dump is.
            fields.next() != nil, fields.next() != nil
        else { return nil }
        var attributes: [ExtendedAttribute] = []
        while let field = fields.next() {
            guard let separator = field.firstIndex(of: UInt8(ascii: "=")),
                let name = DumpField.unescapeRaw(UnsafeBufferPointer(rebasing: field[..<separator])),
                let value = DumpField.unescapeRaw(UnsafeBufferPointer(rebasing: field[(separator + 1)...]))
            else { return nil }
            attributes.append(ExtendedAttribute(name: name, value: value))
        }
        let metadata = Metadata(
            mode: UInt16(mode & 0o7777), uid: uid, gid: gid, modified: modified, extendedAttributes: attributes)
        // What is no number is seen when the whole line is compared.
        return (
            Entry(path: path, metadata: metadata, kind: kind), DumpNumber.parse(links, as: UInt32.self).map { Int($0) }
        )
    }

    private static func kind(
        size: UInt64, type: UInt32, device: UInt64, _ payload: UnsafeBufferPointer<UInt8>
    ) -> Entry.Kind? {
        // The path of a blob has no escapes: most lines of a dump need no copy of it.
        if type == 0o100000, size > 0, let digest = BlobPath.digest(payload) {
            return .file(digest: digest, size: size)
        }
        return DumpField.unescape(payload).flatMap { Fields(size: size, type: type, device: device, payload: $0).kind }
    }

    private static func timestamp(_ field: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        guard let dot = field.firstIndex(of: UInt8(ascii: ".")),
            let seconds = DumpNumber.parseSigned(UnsafeBufferPointer(rebasing: field[..<dot])),
            let nanoseconds = DumpNumber.parse(
                UnsafeBufferPointer(rebasing: field[(dot + 1)...]), as: UInt32.self),
            nanoseconds < 1_000_000_000
        else { return nil }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}

/// The fields of a line that depend on what the entry is.
private struct Fields {
    var size: UInt64 = 0
    /// The type bits of st_mode (inode(7)).
    var type: UInt32
    /// As makedev(3) packs it.
    var device: UInt64 = 0
    /// As it was read.
    var payload = ByteString([UInt8]())

    init(size: UInt64, type: UInt32, device: UInt64, payload: ByteString) {
        (self.size, self.type, self.device, self.payload) = (size, type, device, payload)
    }

    init(_ kind: Entry.Kind) {
        switch kind {
        case .directory: type = 0o040000
        case .file(_, let size):
            type = 0o100000
            self.size = size
        case .symlink(let target):
            type = 0o120000
            size = UInt64(target.count)
        case .characterDevice(let major, let minor):
            type = 0o020000
            device = DeviceNumber.pack(major, minor)
        case .blockDevice(let major, let minor):
            type = 0o060000
            device = DeviceNumber.pack(major, minor)
        case .fifo: type = 0o010000
        case .whiteout: type = 0o020000
        }
    }

    /// nil when the fields contradict each other.
    var kind: Entry.Kind? {
        switch type {
        case 0o040000: .directory
        case 0o100000 where size == 0: .file(digest: .empty, size: 0)
        case 0o100000: BlobPath.digest(payload).map { .file(digest: $0, size: size) }
        case 0o120000 where !payload.isEmpty: .symlink(target: payload)
        case 0o020000 where device == 0: .whiteout
        case 0o020000: .characterDevice(major: DeviceNumber.major(device), minor: DeviceNumber.minor(device))
        case 0o060000: .blockDevice(major: DeviceNumber.major(device), minor: DeviceNumber.minor(device))
        case 0o010000: .fifo
        default: nil
        }
    }
}

/// Device numbers as glibc's makedev(3) packs them: 32 bits of major and minor, interleaved for history's sake.
private enum DeviceNumber {
    static func pack(_ major: UInt32, _ minor: UInt32) -> UInt64 {
        let (major, minor) = (UInt64(major), UInt64(minor))
        return (major & 0xffff_f000) << 32 | (major & 0xfff) << 8 | (minor & 0xffff_ff00) << 12 | minor & 0xff
    }

    static func major(_ device: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: device >> 32 & 0xffff_f000 | device >> 8 & 0xfff)
    }

    static func minor(_ device: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: device >> 12 & 0xffff_ff00 | device & 0xff)
    }
}
