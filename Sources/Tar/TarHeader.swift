public import Bytes

/// One member of a tar archive without its content: what a header block and its extended headers say together.
public struct TarHeader: Hashable, Sendable {
    /// The name as the archive has it, without the trailing slash of a directory. Never with a NUL.
    ///
    /// Nothing else is promised of a name that was read: it may be empty, be absolute or hold `..`, and whoever creates
    /// files by it has to judge it first.
    public var name: ByteString
    public var kind: Kind
    /// Permission bits with setuid, setgid and sticky: 0 to 0o7777.
    public var mode: UInt16
    public var uid: UInt32
    public var gid: UInt32
    /// Seconds since 1970, negative before.
    public var modified: Int64
    /// 0 to 999,999,999, from a PAX `mtime`; never written.
    public var nanoseconds: UInt32
    /// Carried as `SCHILY.xattr.NAME` records, as GNU tar, bsdtar, star and the container engines do. Sorted by name.
    public var extendedAttributes: [Attribute]

    public init(
        name: ByteString, kind: Kind, mode: UInt16, uid: UInt32 = 0, gid: UInt32 = 0, modified: Int64 = 0,
        nanoseconds: UInt32 = 0, extendedAttributes: [Attribute] = []
    ) {
        self.name = name
        self.kind = kind
        self.mode = mode & 0o7777
        self.uid = uid
        self.gid = gid
        self.modified = modified
        self.nanoseconds = nanoseconds
        self.extendedAttributes =
            extendedAttributes.count < 2 ? extendedAttributes : extendedAttributes.sorted { $0.name < $1.name }
    }

    /// What a member is (pax(1p), ustar Interchange Format, typeflag).
    public enum Kind: Hashable, Sendable {
        /// A regular file; `size` bytes of content follow the header, fewer where it has holes.
        case file(size: UInt64)
        /// Another name of an earlier member, which `target` names.
        case hardLink(target: ByteString)
        case symlink(target: ByteString)
        case characterDevice(major: UInt32, minor: UInt32)
        case blockDevice(major: UInt32, minor: UInt32)
        case directory
        case fifo
        /// A type that neither POSIX nor layerfs knows, with `size` bytes of content; never written.
        case other(typeflag: UInt8, size: UInt64)

        /// The bytes of a regular file; 0 for anything else.
        public var size: UInt64 { if case .file(let size) = self { size } else { 0 } }
    }

    /// An extended attribute: name with namespace, and any value.
    public struct Attribute: Hashable, Sendable {
        public var name: ByteString
        public var value: ByteString

        public init(name: ByteString, value: ByteString) {
            self.name = name
            self.value = value
        }
    }
}
