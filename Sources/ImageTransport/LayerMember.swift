import Bytes
import Tar

/// What a member of a layer stands for, by its name (image-spec, layer.md, Whiteouts).
enum LayerMember {
    /// An entry at this path.
    case entry(TreePath)
    /// Removes this path from the layers below.
    case whiteout(TreePath)
    /// Removes all that the layers below have in this directory.
    case opaque(TreePath)

    /// - Throws: ``TransportError/invalidLayer(member:reason:)`` for a name that leads out of the image or is a whiteout of
    ///   no file.
    init(_ header: TarHeader) throws(TransportError) {
        guard let path = try? TreePath(header.name.hasPrefix("/") ? header.name : "/" + header.name) else {
            throw .invalidLayer(member: header.name, reason: "leads out of the image")
        }
        if path.name == WhiteoutName.opaque {
            self = .opaque(path.parent)
            return
        }
        // What a union file system keeps for itself under such names means nothing.
        guard path.name.hasPrefix(WhiteoutName.prefix), !path.name.hasPrefix(".wh..wh.") else {
            self = .entry(path)
            return
        }
        let name = ByteString(path.name.bytes.dropFirst(WhiteoutName.prefix.count))
        guard TreePath.isComponent(name) else {
            throw .invalidLayer(member: header.name, reason: "is a whiteout of no file")
        }
        self = .whiteout(path.parent.appending(name))
    }
}
