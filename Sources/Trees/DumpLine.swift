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
        let numbers =
            " \(fields.size) \(String(fields.type | UInt32(metadata.mode), radix: 8)) \(links)"
            + " \(metadata.uid) \(metadata.gid) \(fields.device)"
            + " \(metadata.modified.seconds).\(metadata.modified.nanoseconds) "
        output.append(contentsOf: numbers.utf8)
        DumpField.escape(fields.payload, to: &output)
        output.append(contentsOf: " - -".utf8)
        for attribute in metadata.extendedAttributes {
            output.append(UInt8(ascii: " "))
            DumpField.escapeRaw(attribute.name, to: &output)
            output.append(UInt8(ascii: "="))
            DumpField.escapeRaw(attribute.value, to: &output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    /// The entry of `line`, which has no newline; nil when it is malformed.
    static func parse(_ line: ArraySlice<UInt8>) -> Entry? {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count >= 11, let pathBytes = DumpField.unescape(fields[0]),
            let path = try? TreePath(pathBytes), path.bytes == pathBytes,
            let size = number(fields[1], as: UInt64.self), let mode = number(fields[2], radix: 8, as: UInt32.self),
            let uid = number(fields[4], as: UInt32.self), let gid = number(fields[5], as: UInt32.self),
            let device = number(fields[6], as: UInt64.self), let modified = timestamp(fields[7]),
            let payload = DumpField.unescape(fields[8]),
            let kind = Fields(size: size, type: mode & 0o170000, device: device, payload: payload).kind,
            mode <= 0o177777
        else { return nil }
        var attributes: [ExtendedAttribute] = []
        for field in fields[11...] {
            guard let separator = field.firstIndex(of: UInt8(ascii: "=")),
                let name = DumpField.unescapeRaw(field[..<separator]),
                let value = DumpField.unescapeRaw(field[(separator + 1)...])
            else { return nil }
            attributes.append(ExtendedAttribute(name: name, value: value))
        }
        let metadata = Metadata(
            mode: UInt16(mode & 0o7777), uid: uid, gid: gid, modified: modified, extendedAttributes: attributes)
        return Entry(path: path, metadata: metadata, kind: kind)
    }

    private static func number<Number: FixedWidthInteger>(
        _ field: ArraySlice<UInt8>, radix: Int = 10, as: Number.Type
    ) -> Number? {
        Number(String(decoding: field, as: UTF8.self), radix: radix)
    }

    private static func timestamp(_ field: ArraySlice<UInt8>) -> Timestamp? {
        let parts = field.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = number(parts[0], as: Int64.self),
            let nanoseconds = number(parts[1], as: UInt32.self), nanoseconds < 1_000_000_000
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
    var payload: ByteString = ""

    init(size: UInt64, type: UInt32, device: UInt64, payload: ByteString) {
        (self.size, self.type, self.device, self.payload) = (size, type, device, payload)
    }

    init(_ kind: Entry.Kind) {
        switch kind {
        case .directory: type = 0o040000
        case .file(let digest, let size):
            type = 0o100000
            self.size = size
            payload = size == 0 ? "" : BlobPath.of(digest)
        case .symlink(let target):
            type = 0o120000
            size = UInt64(target.count)
            payload = target
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
