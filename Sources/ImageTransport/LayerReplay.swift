import Bytes
import Digests
import Tar
import Trees

/// Applies the members of layers one after the other, in memory, as a container engine does on disk (image-spec,
/// layer.md, Applying Changesets): the paths that a container made from the image would see.
struct LayerReplay {
    /// What the layers so far make.
    private(set) var entries: [TreePath: Entry] = [:]

    // Of the layer that is being read.
    private var added: [TreePath: Entry] = [:]
    private var removed: Set<TreePath> = []
    private var opaque: Set<TreePath> = []

    /// Adds a member of the current layer; `digest` is that of its content.
    ///
    /// - Throws: ``TransportError/invalidLayer(member:reason:)``.
    mutating func add(_ header: TarHeader, digest: Digest) throws(TransportError) {
        func invalid(_ reason: String) -> TransportError { .invalidLayer(member: header.name, reason: reason) }
        guard let path = try? TreePath(header.name.hasPrefix("/") ? header.name : "/" + header.name) else {
            throw invalid("leads out of the image")
        }
        if path.name == WhiteoutName.opaque {
            opaque.insert(path.parent)
            return
        }
        if path.name.hasPrefix(WhiteoutName.prefix) {
            let name = ByteString(path.name.bytes.dropFirst(WhiteoutName.prefix.count))
            guard TreePath.isComponent(name), !name.hasPrefix(WhiteoutName.prefix) else {
                throw invalid("is a whiteout of no file")
            }
            removed.insert(path.parent.appending(name))
            return
        }
        let metadata = Metadata(
            mode: header.mode, uid: header.uid, gid: header.gid,
            modified: Timestamp(seconds: header.modified, nanoseconds: header.nanoseconds),
            extendedAttributes: header.extendedAttributes.map { ExtendedAttribute(name: $0.name, value: $0.value) })
        let kind: Entry.Kind
        switch header.kind {
        case .file(let size): kind = .file(digest: digest, size: size)
        case .symlink(let target): kind = .symlink(target: target)
        case .characterDevice(let major, let minor): kind = .characterDevice(major: major, minor: minor)
        case .blockDevice(let major, let minor): kind = .blockDevice(major: major, minor: minor)
        case .directory: kind = .directory
        case .fifo: kind = .fifo
        case .hardLink(let target):
            guard let origin = try? TreePath(target.hasPrefix("/") ? target : "/" + target),
                let linked = added[origin] ?? entries[origin], !linked.isDirectory, origin != path
            else { throw invalid("is a hard link to nothing") }
            added[path] = Entry(path: path, metadata: linked.metadata, kind: linked.kind)
            return
        case .other: throw invalid("is of a type that no image may have")
        }
        if path.isRoot, kind != .directory { throw invalid("would replace the root") }
        added[path] = Entry(path: path, metadata: metadata, kind: kind)
    }

    /// Ends the current layer: removes what it removes from below, and adds what it adds.
    mutating func endLayer() {
        if !removed.isEmpty || !opaque.isEmpty || added.values.contains(where: { replacesDirectory($0) }) {
            entries = entries.filter { path, _ in survives(path) }
        }
        entries.merge(added) { $1 }
        added = [:]
        removed = []
        opaque = []
    }

    private func replacesDirectory(_ entry: Entry) -> Bool {
        !entry.isDirectory && entries[entry.path]?.isDirectory == true
    }

    /// Whether a path of the layers below is still there: neither it nor a directory it is in was removed or replaced.
    private func survives(_ path: TreePath) -> Bool {
        if removed.contains(path) { return false }
        var ancestor = path
        while !ancestor.isRoot {
            ancestor = ancestor.parent
            if removed.contains(ancestor) || opaque.contains(ancestor) { return false }
            if let entry = added[ancestor], !entry.isDirectory { return false }
        }
        return true
    }
}
