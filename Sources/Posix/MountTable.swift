public import Bytes
import CLinux
import Glibc
import SystemPackage

/// What is mounted, as proc_pid_mountinfo(5) tells it.
public struct MountTable: Sendable {
    /// One mount.
    public struct Mount: Hashable, Sendable {
        public var identifier: UInt64
        /// As stat(2) has it.
        public var device: UInt64
        /// Where it is mounted, seen from the root of the process.
        public var point: ByteString
        /// As `overlay` or `fuse.sshfs`.
        public var type: ByteString
        /// What it is a mount of, as the type of file system calls it.
        public var source: ByteString
        /// Those of the file system, separated by commas.
        public var options: ByteString
    }

    /// In the order of the table: of two at one place, the later one covers the earlier.
    public var mounts: [Mount]

    private static let limit = 64 << 20

    /// Reads the text of a mountinfo file; lines that are not as they should be are left out.
    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`.
    public init(parsing text: ByteString) {
        mounts = text.split(on: UInt8(ascii: "\n")).compactMap(Self.mount)
    }

    /// What this process sees mounted.
    public static func current() throws(SystemError) -> MountTable {
        MountTable(parsing: ByteString(try Files.read("/proc/self/mountinfo", limit: limit)))
    }

    /// The tables of all mount namespaces that have a process this one may look at, one each.
    public static func everywhere() throws(SystemError) -> [MountTable] {
        var namespaces: Set<ByteString> = []
        var tables: [MountTable] = []
        let processes = try Files.open("/proc", [.readOnly, .directory])
        for process in try processes.names().map(\.name) where process.bytes.allSatisfy({ (0x30...0x39).contains($0) })
        {
            // A process may end between any two of these calls.
            guard let namespace = try? processes.linkTarget(of: process + "/ns/mnt"),
                !namespaces.contains(namespace),
                let text = try? processes.open(process + "/mountinfo", .readOnly).readAll(limit: limit), !text.isEmpty
            else { continue }
            namespaces.insert(namespace)
            tables.append(MountTable(parsing: ByteString(text)))
        }
        return tables + [try current()]
    }

    /// The mount whose top the open `directory` is; nil when it is an ordinary directory in one.
    public func mount(at directory: borrowing OwnedDescriptor) throws(SystemError) -> Mount? {
        let number = directory.rawValue
        let information = ByteString(try Files.read(ByteString("/proc/self/fdinfo/\(number)"), limit: 1 << 16))
        let lines = information.split(on: UInt8(ascii: "\n"))
        guard let line = lines.first(where: { $0.hasPrefix("mnt_id:") }),
            let identifier = UInt64(ByteString(line.bytes.dropFirst(7).drop { $0 == 0x09 || $0 == 0x20 }).description)
        else { return nil }
        let path = try Files.linkTarget(ByteString("/proc/self/fd/\(number)"))
        return mounts.first { $0.identifier == identifier && $0.point == path }
    }

    private static func mount(_ line: ByteString) -> Mount? {
        let fields = line.split(on: UInt8(ascii: " "))
        guard fields.count > 6, let separator = fields.dropFirst(6).firstIndex(of: "-"),
            separator + 2 < fields.count, let identifier = UInt64(fields[0].description)
        else { return nil }
        let numbers = fields[2].split(on: UInt8(ascii: ":")).map { UInt32($0.description) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        return Mount(
            identifier: identifier, device: clinux_makedev(major, minor), point: unescaped(fields[4]),
            type: fields[separator + 1], source: unescaped(fields[separator + 2]),
            options: separator + 3 < fields.count ? unescaped(fields[separator + 3]) : "")
    }

    /// Blanks, line ends and backslashes are written as `\040`: three octal digits.
    private static func unescaped(_ field: ByteString) -> ByteString {
        var result: [UInt8] = []
        var rest = field.bytes[...]
        while let byte = rest.first {
            let digits = rest.dropFirst().prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                result.append(value)
                rest = rest.dropFirst(4)
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return ByteString(result)
    }
}
