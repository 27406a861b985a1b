import Bytes
public import Digests
public import Posix
import SystemPackage
public import Trees

/// A host file that was taken into the store, and what it was at that moment.
public struct SourceFile: Sendable {
    public var digest: Digest
    public var size: UInt64
    /// As the file had it: owner, permissions, time, and the attributes that images carry.
    public var metadata: Metadata
    /// Whether its content had to be copied, or was there.
    public var wasCopied: Bool
    /// What identifies this state of the file.
    public var fingerprint: SourceFingerprint
    /// Whether the stat cache knew this state, so that nothing needs to be remembered.
    var wasKnown = false
    /// When reading it began.
    var begun: FileTime
}

/// One state of a host file, as git's index tells states apart: any change of content changes at least one of these.
public struct SourceFingerprint: Hashable, Sendable {
    public let identity: FileIdentity
    var size: UInt64
    var modified: FileTime
    var changed: FileTime

    init(_ status: FileStatus) {
        (identity, size, modified, changed) = (status.identity, status.size, status.modified, status.changed)
    }

    init(identity: FileIdentity, size: UInt64, modified: FileTime, changed: FileTime) {
        (self.identity, self.size, self.modified, self.changed) = (identity, size, modified, changed)
    }

    /// Whether both are the same file, with the same size and time of modification.
    func differsOnlyInChangeTime(_ other: SourceFingerprint) -> Bool {
        identity == other.identity && size == other.size && modified == other.modified
    }

    /// Whether the file had rested for two seconds at `now`. A file changed again within the granularity of its
    /// file system's clock would keep the fingerprint, so younger states are not remembered ("racily clean" in git).
    func isSettled(at now: FileTime) -> Bool {
        max(modified.seconds, changed.seconds) + 2 < now.seconds
    }
}

/// What stat(2) said of a host file when it was decided to take it: enough to take one whose content is known without opening it.
public struct SourceState: Hashable, Sendable {
    public let fingerprint: SourceFingerprint
    var mode: UInt16
    var uid: UInt32
    var gid: UInt32

    public init(_ status: FileStatus) {
        fingerprint = SourceFingerprint(status)
        (mode, uid, gid) = (status.permissions, status.uid, status.gid)
    }

    /// In bytes.
    public var size: UInt64 { fingerprint.size }

    /// What differs from file to file.
    package struct Own: Sendable {
        var inode: UInt64
        package var size: UInt64
        // Seconds and nanoseconds by themselves leave no gaps.
        private var modifiedSeconds: Int64
        private var changedSeconds: Int64
        private var modifiedNanoseconds: UInt32
        private var changedNanoseconds: UInt32

        var modified: FileTime { FileTime(seconds: modifiedSeconds, nanoseconds: modifiedNanoseconds) }
        var changed: FileTime { FileTime(seconds: changedSeconds, nanoseconds: changedNanoseconds) }

        init(inode: UInt64, size: UInt64, modified: FileTime, changed: FileTime) {
            (self.inode, self.size) = (inode, size)
            (modifiedSeconds, modifiedNanoseconds) = (modified.seconds, modified.nanoseconds)
            (changedSeconds, changedNanoseconds) = (changed.seconds, changed.nanoseconds)
        }

        /// Of no file.
        package static let none = Own(
            inode: 0, size: 0, modified: FileTime(seconds: 0, nanoseconds: 0),
            changed: FileTime(seconds: 0, nanoseconds: 0))
    }

    /// What most files of a directory have in common.
    package struct Common: Hashable, Sendable {
        var device: UInt64
        var mode: UInt16
        var uid: UInt32
        var gid: UInt32
    }

    package init(_ own: Own, _ common: Common) {
        fingerprint = SourceFingerprint(
            identity: FileIdentity(device: common.device, inode: own.inode), size: own.size, modified: own.modified,
            changed: own.changed)
        (mode, uid, gid) = (common.mode, common.uid, common.gid)
    }

    package var own: Own {
        Own(
            inode: fingerprint.identity.inode, size: fingerprint.size, modified: fingerprint.modified,
            changed: fingerprint.changed)
    }

    package var common: Common { Common(device: fingerprint.identity.device, mode: mode, uid: uid, gid: gid) }

    /// Of a file without attributes that images carry.
    package var metadata: Metadata {
        Metadata(mode: mode, uid: uid, gid: gid, modified: Timestamp(fingerprint.modified))
    }
}

extension Metadata {
    /// What images carry of an inode: the attributes that programs rely on (file capabilities, `user.*`), not those
    /// that belong to the machine (SELinux labels, access control lists).
    init(_ status: FileStatus, attributes: [(name: ByteString, value: ByteString)]) {
        self.init(
            mode: status.permissions, uid: status.uid, gid: status.gid, modified: Timestamp(status.modified),
            extendedAttributes: attributes.filter { $0.name == "security.capability" || $0.name.hasPrefix("user.") }
                .map { ExtendedAttribute(name: $0.name, value: $0.value) })
    }
}

extension Timestamp {
    /// The time of an inode.
    public init(_ time: FileTime) { self.init(seconds: time.seconds, nanoseconds: time.nanoseconds) }

    /// The time as the kernel takes it.
    public var fileTime: FileTime { FileTime(seconds: seconds, nanoseconds: nanoseconds) }
}
