import Bytes
import Tar
import Trees

/// What a member of a layer stands for, by its name (image-spec, layer.md, Whiteouts).
enum LayerMember {
    /// An entry at this path.
    case entry(TreePath)
    /// Removes this path from the layers below.
    case whiteout(TreePath)
    /// Removes all that the layers below have in this directory.
    case opaque(TreePath)
    /// Something of a union file system's own, which means nothing (Docker leaves it out, too).
    case ignored

    /// - Throws: ``TransportError/invalidLayer(member:reason:)`` for a name that no file of an image can have.
    init(_ header: TarHeader) throws(TransportError) {
        func invalid(_ reason: String) -> TransportError { .invalidLayer(member: header.name, reason: reason) }
        let path = try Self.path(of: header.name, member: header.name)
        // As most are.
        guard path.hasComponent(withPrefix: WhiteoutName.prefix) else {
            self = .entry(path)
            return
        }
        let directories = path.parent.components
        if directories.contains(where: { $0.hasPrefix(WhiteoutName.metadataPrefix) }) {
            self = .ignored
        } else if path.name == WhiteoutName.opaque {
            self = .opaque(path.parent)
        } else if path.name.hasPrefix(WhiteoutName.metadataPrefix) {
            self = .ignored
        } else if path.name.hasPrefix(WhiteoutName.prefix) {
            let name = ByteString(path.name.bytes.dropFirst(WhiteoutName.prefix.count))
            guard TreePath.isComponent(name) else { throw invalid("is a whiteout of no file") }
            self = .whiteout(path.parent.appending(name))
        } else if directories.contains(where: { $0.hasPrefix(WhiteoutName.prefix) }) {
            throw invalid("lies in a directory whose name only a whiteout can have")
        } else {
            self = .entry(path)
        }
    }

    /// The path that `name`, of `member` or of what it links to, stands for.
    static func path(of name: ByteString, member: ByteString) throws(TransportError) -> TreePath {
        func invalid(_ reason: String) -> TransportError { .invalidLayer(member: member, reason: reason) }
        guard !name.isEmpty else { throw invalid("has no name") }
        guard let path = try? TreePath(name.hasPrefix("/") ? name : "/" + name) else {
            throw invalid("leads out of the image")
        }
        guard path.bytes.count <= pathLimit, path.longestComponent <= nameLimit else {
            throw invalid("has a name that is too long for Linux")
        }
        return path
    }

    /// PATH_MAX, limits.h(0p).
    static let pathLimit = 4096
    /// NAME_MAX, limits.h(0p).
    private static let nameLimit = 255
}

/// How layers spell removed files (image-spec, layer.md, Whiteouts).
enum WhiteoutName {
    static let prefix: ByteString = ".wh."
    /// Hides all that lower layers have in the same directory.
    static let opaque = Entry.opaqueMarker
    /// What a union file system (AUFS) keeps for itself.
    static let metadataPrefix: ByteString = ".wh..wh."
}
