public import Bytes
public import Digests

/// One path of a tree with its metadata and what it is.
public struct Entry: Hashable, Sendable {
    public var path: TreePath
    public var metadata: Metadata
    public var kind: Kind

    public init(path: TreePath, metadata: Metadata, kind: Kind) {
        self.path = path
        self.metadata = metadata
        self.kind = kind
    }

    /// What a path is.
    public enum Kind: Hashable, Sendable {
        case directory
        /// A regular file. The content of an empty file is ``Digest/empty``; no blob is kept for it.
        case file(digest: Digest, size: UInt64)
        /// A symbolic link; the target is kept byte for byte.
        case symlink(target: ByteString)
        case characterDevice(major: UInt32, minor: UInt32)
        case blockDevice(major: UInt32, minor: UInt32)
        case fifo
        /// Removes this path, and all below it, from the layers underneath (image-spec, layer.md, Whiteouts).
        case whiteout
    }

    public var isDirectory: Bool { kind == .directory }

    /// The name of a whiteout that stands for all that lower layers have in its directory, which is *opaque* (image-spec,
    /// layer.md, Opaque Whiteout). No file of a layer can have it.
    public static let opaqueMarker: ByteString = ".wh..wh..opq"

    /// Whether this whiteout removes not one path, but everything in its directory, from the layers underneath.
    public var isOpaqueMarker: Bool { kind == .whiteout && path.name == Self.opaqueMarker }

    /// The bytes of file content behind this entry; 0 for anything but a regular file.
    public var size: UInt64 {
        if case .file(_, let size) = kind { size } else { 0 }
    }
}

/// Owner, permissions, time and extended attributes of an entry.
public struct Metadata: Hashable, Sendable {
    /// Permission bits with setuid, setgid and sticky: 0 to 0o7777.
    public var mode: UInt16
    public var uid: UInt32
    public var gid: UInt32
    public var modified: Timestamp
    /// Sorted by name, names unique.
    public private(set) var extendedAttributes: [ExtendedAttribute]

    public init(
        mode: UInt16, uid: UInt32 = 0, gid: UInt32 = 0, modified: Timestamp = .epoch,
        extendedAttributes: [ExtendedAttribute] = []
    ) {
        self.mode = mode & 0o7777
        self.uid = uid
        self.gid = gid
        self.modified = modified
        self.extendedAttributes =
            extendedAttributes.count < 2 ? extendedAttributes : extendedAttributes.sorted { $0.name < $1.name }
    }

    /// - Parameter attributes: sorted, as those of ``extendedAttributes`` are.
    init(mode: UInt16, uid: UInt32, gid: UInt32, modified: Timestamp, sorted attributes: [ExtendedAttribute]) {
        (self.mode, self.uid, self.gid, self.modified, extendedAttributes) = (mode, uid, gid, modified, attributes)
    }

    /// Whether only the time differs from `other`, or nothing.
    public func matches(_ other: Metadata) -> Bool {
        mode == other.mode && uid == other.uid && gid == other.gid
            && extendedAttributes == other.extendedAttributes
    }
}

/// An extended attribute (xattr(7)): a name with its namespace, and a value of any bytes.
public struct ExtendedAttribute: Hashable, Sendable {
    public var name: ByteString
    public var value: ByteString

    public init(name: ByteString, value: ByteString) {
        self.name = name
        self.value = value
    }
}

/// A time of modification: seconds since 1970, which may be negative, and nanoseconds 0 to 999,999,999.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var seconds: Int64
    public var nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// 1970-01-01T00:00:00Z.
    public static let epoch = Timestamp(seconds: 0)

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}
