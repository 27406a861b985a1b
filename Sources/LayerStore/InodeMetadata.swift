import Bytes
import Digests
import Posix
import SystemPackage
import Trees

/// What hard links to one inode share beside its content, as this process is able to set it.
///
/// Without root the owner is always the process's own: owners are recorded and exported, not applied.
struct InodeMetadata: Hashable, Sendable {
    /// Permission bits without setuid, setgid and sticky: an inode that others link to never has them.
    var mode: UInt16
    var uid: UInt32
    var gid: UInt32
    var modified: Timestamp
    var extendedAttributes: [ExtendedAttribute]

    init(_ metadata: Metadata) {
        mode = metadata.mode & 0o777
        let isRoot = CurrentProcess.canSetOwners
        uid = isRoot ? metadata.uid : CurrentProcess.effectiveUser
        gid = isRoot ? metadata.gid : CurrentProcess.effectiveGroup
        modified = metadata.modified
        // security.* needs capabilities in the initial user namespace; a root made without them lacks them.
        extendedAttributes = metadata.extendedAttributes.filter { isRoot || $0.name.hasPrefix("user.") }
    }

    /// The metadata of the inode that is the blob itself, when an entry with `metadata` brings the content: as that entry
    /// wants it, but the store owner's, readable by him, writable by nobody else, and without attributes, which could not
    /// be told apart by a stat(2). A blob that belonged to the owner of the file it came from would be his to change.
    init(ofBlob metadata: Metadata) {
        self.init(metadata)
        uid = CurrentProcess.effectiveUser
        gid = CurrentProcess.effectiveGroup
        mode = mode & 0o755 | 0o400
        extendedAttributes = []
    }

    /// Whether entries that want this may share an inode at all: one that others than the store's owner may write to is
    /// never shared.
    var isShareable: Bool {
        mode & 0o022 == 0 && (uid == CurrentProcess.effectiveUser || mode & 0o200 == 0)
    }

    /// Sets owner, attributes, permissions and time of the open `file`; the order matters, since changing the owner
    /// clears permission bits and capabilities.
    func apply(to file: borrowing OwnedDescriptor) throws(SystemError) {
        if CurrentProcess.canSetOwners { try file.setOwner(uid: uid, gid: gid) }
        for attribute in extendedAttributes {
            try file.setExtendedAttribute(attribute.name, to: attribute.value)
        }
        try file.setPermissions(mode)
        try file.setModified(modified.fileTime)
    }

    /// Whether a file with this `status` and no attributes can serve an entry that wants this metadata.
    func matches(_ status: FileStatus, exactTime: Bool) -> Bool {
        extendedAttributes.isEmpty && status.permissions == mode && status.uid == uid && status.gid == gid
            && (!exactTime || status.modified == modified.fileTime)
    }

    /// Whether an inode that was made with this still has its mode, owner and time.
    func isLike(_ status: FileStatus) -> Bool {
        status.permissions == mode && status.uid == uid && status.gid == gid && status.modified == modified.fileTime
    }

    /// Whether `node`, the file name of one, is that of an inode with this metadata.
    func hasKey(of node: ByteString) -> Bool {
        [false, true].contains { node.hasSuffix("." + ByteString(key(exactTime: $0))) }
    }

    /// A short name for this metadata, for the file names of nodes.
    func key(exactTime: Bool) -> String {
        var text = "\(String(mode, radix: 8)) \(uid) \(gid)"
        if exactTime { text += " \(modified.seconds).\(modified.nanoseconds)" }
        var bytes = Array(text.utf8)
        for attribute in extendedAttributes {
            bytes += [0] + attribute.name.bytes + [0] + attribute.value.bytes
        }
        return String(Digest(hashing: bytes).hexadecimal.prefix(16))
    }
}
