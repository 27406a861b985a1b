import Bytes
import LayerStore
import Posix
import SystemPackage
import Trees

/// The directories in which an overlay keeps changes: `upper` and `work` of a directory that a person chose.
struct MountChanges {
    let upper: Overlay.Upper

    /// - Parameters:
    ///   - directory: with the changes of an earlier mount, or without anything.
    ///   - root: the root's own mode, owner and time are those of the upper directory.
    init(_ directory: consuming OwnedDescriptor, imitating root: Entry) throws(LayerFSError) {
        let shared = SharedDescriptor(directory)
        do throws(SystemError) {
            // Made last: where it is, the other one is complete.
            if try !shared.descriptor.contains("work") { try Self.make(in: shared.descriptor, root.metadata) }
        } catch {
            throw .system(step: "make a place for changes", error)
        }
        upper = Overlay.Upper(directory: shared, changes: "upper", work: "work")
    }

    private static func make(in directory: borrowing OwnedDescriptor, _ metadata: Metadata) throws(SystemError) {
        try directory.ensureDirectory("upper", mode: 0o700)
        let upper = try directory.open("upper", [.readOnly, .directory, .noFollow])
        try upper.setOwner(uid: metadata.uid, gid: metadata.gid)
        for attribute in metadata.extendedAttributes {
            try upper.setExtendedAttribute(attribute.name, to: attribute.value)
        }
        try upper.setPermissions(metadata.mode)
        try upper.setModified(metadata.modified.fileTime)
        try directory.makeDirectory("work", mode: 0o700)
    }
}
