import Bytes
import Digests
import Tar
import Trees

/// Applies the members of layers one after the other, in memory, as a container engine does on disk (image-spec,
/// layer.md, Applying Changesets): the paths that a container made from the image would see.
///
/// A member that lies behind a symbolic link lands where the link leads inside the image, as engines that resolve below the root
/// do it; nothing ever leads out of it. What no engine could apply is refused.
struct LayerReplay {
    /// What the layers so far make; closed under parents but for the root.
    private(set) var entries: [TreePath: Entry] = [:]
    private var changes = LayerChanges()

    /// Adds a member of the current layer; `digest` is that of its content.
    ///
    /// - Throws: ``TransportError/invalidLayer(member:reason:)``.
    mutating func add(_ header: TarHeader, digest: Digest) throws(TransportError) {
        func invalid(_ reason: String) -> TransportError { .invalidLayer(member: header.name, reason: reason) }
        let path = try Self.path(of: header.name, member: header.name)
        if path.components.contains(where: { $0.hasPrefix(WhiteoutName.metadataPrefix) }) {
            // Of a union file system's own: its opaque marker means something, the rest is left out (as Docker does).
            guard path.name == WhiteoutName.opaque else { return }
        }
        let directory = path.isRoot ? path : try locate(path.parent, member: header.name)
        if path.name.hasPrefix(WhiteoutName.prefix) {
            if path.name == WhiteoutName.opaque { return changes.makeOpaque(directory) }
            let name = ByteString(path.name.bytes.dropFirst(WhiteoutName.prefix.count))
            guard TreePath.isComponent(name) else { throw invalid("is a whiteout of no file") }
            return changes.remove(directory.appending(name))
        }
        guard !path.components.contains(where: { $0.hasPrefix(WhiteoutName.prefix) }) else {
            throw invalid("lies in a directory whose name only a whiteout can have")
        }
        let place = path.isRoot ? path : directory.appending(path.name)
        let entry = try entry(header, digest: digest, at: place)
        guard changes.put(entry) else { throw invalid("is one of too many that take the place of directories") }
        guard changes.count <= Self.entryLimit else { throw invalid("is one of more than \(Self.entryLimit)") }
    }

    /// Adds an entry of a layer whose tree is known, as it is.
    mutating func add(_ entry: Entry) {
        guard entry.kind == .whiteout else { return _ = changes.put(entry) }
        if entry.isOpaqueMarker { changes.makeOpaque(entry.path.parent) } else { changes.remove(entry.path) }
    }

    /// Ends the current layer: removes what it removes from below, and adds what it adds.
    ///
    /// - Returns: the layer as a tree of its own. Directories that it does not have, but things in them, are as the layers below
    ///   have them; else root's, mode 0755.
    @discardableResult
    mutating func endLayer() throws(TreeError) -> Tree {
        var layer = changes.entries(below: entries)
        if layer[.root] == nil { layer[.root] = entries[.root] ?? Tree.empty.entries[0] }
        let tree = try Tree(layer.values)
        if changes.hides(entries) { entries = entries.filter { path, _ in changes.shows(path) } }
        for entry in tree.entries where entry.kind != .whiteout && (!entry.path.isRoot || changes.added[.root] != nil) {
            entries[entry.path] = entry
        }
        changes = LayerChanges()
        return tree
    }

    // MARK: Members

    /// How many paths a layer may have.
    private static let entryLimit = 1_000_000

    private static func path(of name: ByteString, member: ByteString) throws(TransportError) -> TreePath {
        func invalid(_ reason: String) -> TransportError { .invalidLayer(member: member, reason: reason) }
        guard !name.isEmpty else { throw invalid("has no name") }
        guard let path = try? TreePath(name.hasPrefix("/") ? name : "/" + name) else {
            throw invalid("leads out of the image")
        }
        // PATH_MAX and NAME_MAX, limits.h(0p).
        guard path.bytes.count <= 4096, path.components.allSatisfy({ $0.count <= 255 }) else {
            throw invalid("has a name that is too long for Linux")
        }
        return path
    }

    private func entry(_ header: TarHeader, digest: Digest, at path: TreePath) throws(TransportError) -> Entry {
        func invalid(_ reason: String) -> TransportError { .invalidLayer(member: header.name, reason: reason) }
        let kind: Entry.Kind
        switch header.kind {
        case .file(let size): kind = .file(digest: digest, size: size)
        case .symlink(let target):
            guard target.count < 4096 else { throw invalid("is a link whose target is too long for Linux") }
            kind = .symlink(target: target)
        case .characterDevice(0, 0): throw invalid("is the device 0:0, which means a whiteout to union file systems")
        case .characterDevice(let major, let minor): kind = .characterDevice(major: major, minor: minor)
        case .blockDevice(let major, let minor): kind = .blockDevice(major: major, minor: minor)
        case .directory: kind = .directory
        case .fifo: kind = .fifo
        case .hardLink(let target):
            let origin = try Self.path(of: target, member: header.name)
            guard !origin.isRoot, origin != path,
                let linked = visible(try locate(origin.parent, member: header.name).appending(origin.name)),
                !linked.isDirectory, linked.path != path
            else { throw invalid("is a hard link to nothing") }
            return Entry(path: path, metadata: linked.metadata, kind: linked.kind)
        case .other: throw invalid("is of a type that no image may have")
        }
        if path.isRoot, kind != .directory { throw invalid("would replace the root") }
        for attribute in header.extendedAttributes {
            let isOverlays = ["trusted.overlay.", "user.overlay."].contains { attribute.name.hasPrefix($0) }
            if isOverlays { throw invalid("has the attribute \(attribute.name), which belongs to a union file system") }
        }
        let metadata = Metadata(
            mode: header.mode, uid: header.uid, gid: header.gid,
            modified: Timestamp(seconds: header.modified, nanoseconds: header.nanoseconds),
            extendedAttributes: header.extendedAttributes.map { ExtendedAttribute(name: $0.name, value: $0.value) })
        return Entry(path: path, metadata: metadata, kind: kind)
    }

    // MARK: Links

    /// What lies at `path` now; nil for nothing.
    private func visible(_ path: TreePath) -> Entry? {
        if let entry = changes.added[path] { return entry }
        return changes.shows(path) ? entries[path] : nil
    }

    /// The directory that `path` leads to through any links; what is missing of it is taken to be directories.
    private func locate(_ path: TreePath, member: ByteString) throws(TransportError) -> TreePath {
        // As most are: nothing on the way is a link.
        if changes.added[path]?.isDirectory == true { return path }
        var place = TreePath.root
        var pending = Array(path.components.reversed())
        var linksLeft = 40  // as the kernel
        while let name = pending.popLast() {
            if name.isEmpty || name == "." { continue }
            if name == ".." {
                place = place.parent
                continue
            }
            let next = place.appending(name)
            switch visible(next)?.kind {
            case .directory, nil: place = next
            case .symlink(let target):
                linksLeft -= 1
                guard linksLeft >= 0, pending.count < 4096 else {
                    throw .invalidLayer(member: member, reason: "lies behind too many links")
                }
                if target.bytes.first == UInt8(ascii: "/") { place = .root }
                pending.append(contentsOf: target.split(on: UInt8(ascii: "/")).reversed())
            default:
                throw .invalidLayer(member: member, reason: "lies in \(next), which is no directory")
            }
            guard place.bytes.count <= 4096 else {
                throw .invalidLayer(member: member, reason: "has a name that is too long for Linux")
            }
        }
        return place
    }
}
